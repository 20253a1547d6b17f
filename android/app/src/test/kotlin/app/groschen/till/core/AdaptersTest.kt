package app.groschen.till.core

import app.groschen.core.NfcException
import app.groschen.core.PlatformException
import app.groschen.core.Signal
import app.groschen.till.GroschenRunner
import app.groschen.till.keys.DeviceKeystore
import app.groschen.till.keys.FakeAndroidKeyStore
import app.groschen.till.nfc.PresentTag
import app.groschen.till.nfc.TagGone
import app.groschen.till.nfc.TagLink
import app.groschen.till.nfc.TagSilent
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.annotation.Config

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class AdaptersTest {
    @Before
    fun install() = FakeAndroidKeyStore.install()

    @After
    fun remove() = FakeAndroidKeyStore.remove()

    @Test
    fun `the core learns whether a key is missing or the phone refuses`() {
        val keystore = CoreKeystore(DeviceKeystore())
        assertThrows(PlatformException.NoKey::class.java) { keystore.aes("band.7.auth", ByteArray(16)) }
        assertTrue(keystore.importAes("band.7.auth", ByteArray(16)))
        assertEquals(16, keystore.aes("band.7.auth", ByteArray(16)).size)
        keystore.forget("band.7.auth")
        assertThrows(PlatformException.NoKey::class.java) { keystore.aes("band.7.auth", ByteArray(16)) }
        FakeAndroidKeyStore.broken = true
        assertThrows(PlatformException.Refused::class.java) { keystore.sign(byteArrayOf(1)) }
    }

    @Test
    fun `the core signs by the phone`() {
        val keystore = CoreKeystore(DeviceKeystore())
        assertEquals(65, keystore.publicKey().size)
        assertEquals(64, keystore.sign(byteArrayOf(1)).size)
    }

    @Test
    fun `the core learns whether a wristband is gone or silent`() {
        var failure: Exception? = null
        val link = object : TagLink {
            override fun transceive(frame: ByteArray): ByteArray = failure?.let { throw it } ?: frame
            override fun reselect() {
                failure?.let { throw it }
            }
        }
        val core = CoreLink(PresentTag(byteArrayOf(4, 1, 2, 3, 4, 5, 6), byteArrayOf(0x44, 0), 0x20, byteArrayOf(0x75), link))
        assertArrayEquals(byteArrayOf(0x30, 4), core.transceive(byteArrayOf(0x30, 4)))
        val selected = core.reselect()
        assertArrayEquals(byteArrayOf(4, 1, 2, 3, 4, 5, 6), selected.uid)
        assertEquals(0x20, selected.sak)
        assertArrayEquals(byteArrayOf(0x75), selected.ats)
        failure = TagGone(null)
        assertThrows(NfcException.Gone::class.java) { core.transceive(byteArrayOf(1)) }
        failure = TagSilent(null)
        assertThrows(NfcException.Silent::class.java) { core.reselect() }
    }

    @Test
    fun `every signal of the core has a cue of its own`() {
        assertEquals(Signal.entries.size, Signal.entries.map(CoreEffects::cue).distinct().size)
    }
}
