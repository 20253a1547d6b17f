package app.groschen.till.keys

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import app.groschen.till.GroschenRunner
import app.groschen.view.KeyPlace
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.annotation.Config
import java.security.Signature

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class DeviceKeystoreTest {
    @Before
    fun install() = FakeAndroidKeyStore.install()

    @After
    fun remove() = FakeAndroidKeyStore.remove()

    private fun String.hex() = chunked(2).map { it.toInt(16).toByte() }.toByteArray()

    @Test
    fun `the terminal's key is P-256 in the trusted environment, for signatures with SHA-256 only`() {
        val keystore = DeviceKeystore()
        keystore.makeKey()
        val asked = FakeAndroidKeyStore.asked.getValue(DeviceKeystore.SIGNING) as KeyGenParameterSpec
        assertEquals(KeyProperties.PURPOSE_SIGN, asked.purposes)
        assertArrayEquals(arrayOf(KeyProperties.DIGEST_SHA256), asked.digests)
        assertFalse(asked.isStrongBoxBacked)
        assertFalse(asked.isUserAuthenticationRequired)
        assertFalse(asked.isUnlockedDeviceRequired)
    }

    @Test
    fun `what it signs is verified with the key it tells`() {
        val keystore = DeviceKeystore()
        keystore.makeKey()
        val signature = keystore.sign("head".toByteArray())
        assertEquals(64, signature.size)
        val key = FakeAndroidKeyStore.certificates.getValue(DeviceKeystore.SIGNING).publicKey
        val judge = Signature.getInstance("SHA256withECDSAinP1363Format")
        judge.initVerify(key)
        judge.update("head".toByteArray())
        assertTrue(judge.verify(signature))
        assertArrayEquals(key.encoded.takeLast(65).toByteArray(), keystore.publicKey())
    }

    @Test
    fun `the key is made where there is none, and is there after a restart`() {
        val key = DeviceKeystore().publicKey()
        assertArrayEquals(key, DeviceKeystore().publicKey())
    }

    @Test
    fun `without a key nothing is signed`() {
        assertThrows(KeyUnavailable::class.java) { DeviceKeystore().sign(byteArrayOf(1)) }
        assertEquals(KeyPlace.UNKNOWN, DeviceKeystore().keyPlace())
    }

    @Test
    fun `where a key lives is what Android says`() {
        val keystore = DeviceKeystore()
        keystore.publicKey()
        for ((level, place) in listOf(
            KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT to KeyPlace.HARDWARE,
            KeyProperties.SECURITY_LEVEL_STRONGBOX to KeyPlace.HARDWARE,
            KeyProperties.SECURITY_LEVEL_SOFTWARE to KeyPlace.SOFTWARE,
            KeyProperties.SECURITY_LEVEL_UNKNOWN to KeyPlace.UNKNOWN,
        )) {
            FakeAndroidKeyStore.level = level
            assertEquals(place, keystore.keyPlace())
            assertEquals(place, keystore.importChipKey("batch-7", ByteArray(16)))
        }
    }

    // FIPS 197, appendix B.
    @Test
    fun `a chip key gives blocks of AES-128`() {
        val keystore = DeviceKeystore()
        keystore.importChipKey("batch-7", "2b7e151628aed2a6abf7158809cf4f3c".hex())
        val block = keystore.encryptBlock("batch-7", "3243f6a8885a308d313198a2e0370734".hex())
        assertArrayEquals("3925841d02dc09fbdc118597196a0b32".hex(), block)
    }

    @Test
    fun `a chip key encrypts single blocks only and wants an unlocked phone`() {
        DeviceKeystore().importChipKey("batch-7", ByteArray(16))
        val asked = FakeAndroidKeyStore.protections.getValue(DeviceKeystore.CHIPS + "batch-7")
        assertEquals(KeyProperties.PURPOSE_ENCRYPT, asked.purposes)
        assertArrayEquals(arrayOf(KeyProperties.BLOCK_MODE_ECB), asked.blockModes)
        assertArrayEquals(arrayOf(KeyProperties.ENCRYPTION_PADDING_NONE), asked.encryptionPaddings)
        assertFalse(asked.isRandomizedEncryptionRequired)
        assertTrue(asked.isUnlockedDeviceRequired)
    }

    @Test
    fun `forgotten chip keys give nothing, and the terminal's key stays`() {
        val keystore = DeviceKeystore()
        keystore.makeKey()
        keystore.importChipKey("batch-7", ByteArray(16))
        keystore.importChipKey("batch-8", ByteArray(16))
        keystore.forgetChipKey("batch-7")
        keystore.forgetChipKey("batch-7")
        assertThrows(KeyUnavailable::class.java) { keystore.encryptBlock("batch-7", ByteArray(16)) }
        assertEquals(16, keystore.encryptBlock("batch-8", ByteArray(16)).size)
        assertEquals(64, keystore.sign(byteArrayOf(1)).size)
    }

    @Test
    fun `keys and blocks of another length are refused`() {
        val keystore = DeviceKeystore()
        for (size in listOf(0, 15, 17, 32)) {
            assertThrows(KeyUnavailable::class.java) { keystore.importChipKey("batch-7", ByteArray(size)) }
            assertThrows(KeyUnavailable::class.java) { keystore.encryptBlock("batch-7", ByteArray(size)) }
        }
    }

    @Test
    fun `a key store that fails is unavailable and never an unknown exception`() {
        val keystore = DeviceKeystore()
        FakeAndroidKeyStore.broken = true
        assertThrows(KeyUnavailable::class.java) { DeviceKeystore() }
        assertThrows(KeyUnavailable::class.java) { keystore.makeKey() }
        assertThrows(KeyUnavailable::class.java) { keystore.sign(byteArrayOf(1)) }
        FakeAndroidKeyStore.remove()
        assertThrows(KeyUnavailable::class.java) { DeviceKeystore() }
    }
}
