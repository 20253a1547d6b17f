package app.groschen.till.nfc

import android.app.Activity
import android.content.pm.PackageManager
import android.nfc.NfcAdapter
import android.nfc.TransceiveResult
import app.groschen.till.GroschenRunner
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowLooper
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

@RunWith(GroschenRunner::class)
@Config(sdk = [35], shadows = [ShadowField::class, TrueTechnology::class, TrueIsoDep::class])
class ReaderModeTest {
    private val worker = Executors.newSingleThreadScheduledExecutor()
    private val told = LinkedBlockingQueue<String>()
    private var onTag: (PresentTag) -> Unit = {}
    private val listener = object : TagListener {
        override fun onTag(tag: PresentTag) {
            onTag.invoke(tag)
            told += "tag"
        }

        override fun onTagRemoved() {
            told += "removed"
        }
    }
    private lateinit var adapter: NfcAdapter
    private lateinit var reader: ReaderMode
    private val window = Robolectric.buildActivity(Activity::class.java)

    @Before
    fun phoneWithNfc() {
        ShadowField.forget()
        shadowOf(RuntimeEnvironment.getApplication().packageManager).setSystemFeature(PackageManager.FEATURE_NFC, true)
        adapter = checkNotNull(NfcAdapter.getDefaultAdapter(RuntimeEnvironment.getApplication()))
        reader = ReaderMode(adapter, listener, worker)
        reader.resume(window.setup().get())
    }

    @After
    fun stop() {
        worker.shutdownNow()
    }

    private fun tap(chip: FakeChip) = Shadow.extract<ShadowField>(adapter).dispatchTagDiscovered(chip.tag())

    private fun next(): String? = told.poll(5, TimeUnit.SECONDS)

    @Test
    fun `reader mode is on while the window is in front, for NFC-A only, without NDEF and Android's sounds`() {
        assertTrue(shadowOf(adapter).isInReaderMode)
        assertEquals(0x1 or 0x80 or 0x100, ShadowField.lastFlags)
        assertEquals(500, ShadowField.lastExtras?.getInt("presence"))
        reader.pause(window.get())
        assertFalse(shadowOf(adapter).isInReaderMode)
    }

    @Test
    fun `a chip introduces itself and is spoken to within 200 ms a frame`() {
        val chip = FakeChip()
        var answer = ByteArray(0)
        var seen: PresentTag? = null
        onTag = {
            seen = it
            answer = it.link.transceive(byteArrayOf(0x30, 0x04))
        }
        tap(chip)
        assertEquals("tag", next())
        assertArrayEquals(FakeChip.UID, seen?.uid)
        assertArrayEquals(byteArrayOf(0x44, 0x00), seen?.atqa)
        assertEquals(0, seen?.sak)
        assertNull(seen?.historicalBytes)
        assertArrayEquals(byteArrayOf(0x04, 0x30), answer)
        assertEquals(listOf("connect NfcA", "timeout 200", "transceive 3004"), chip.calls)
    }

    @Test
    fun `a chip that speaks ISO 14443-4 is spoken to so`() {
        val chip = FakeChip(isoDep = true)
        var seen: PresentTag? = null
        onTag = { seen = it }
        tap(chip)
        assertEquals("tag", next())
        assertArrayEquals(byteArrayOf(0x80.toByte()), seen?.historicalBytes)
        assertEquals(0x20, seen?.sak)
        assertEquals(listOf("connect IsoDep", "timeout 200"), chip.calls)
    }

    @Test
    fun `a chip is worked on by another thread than the one Android calls back on`() {
        var thread = Thread.currentThread()
        onTag = { thread = Thread.currentThread() }
        tap(FakeChip())
        assertEquals("tag", next())
        assertFalse(thread === Thread.currentThread())
    }

    @Test
    fun `a reselected chip is connected anew and keeps its time limit`() {
        val chip = FakeChip()
        onTag = { it.link.reselect() }
        tap(chip)
        assertEquals("tag", next())
        assertEquals(listOf("connect NfcA", "timeout 200", "reconnect", "connect NfcA", "timeout 200"), chip.calls)
    }

    @Test
    fun `a chip that refuses is silent, one that was pulled away or is out of date is gone`() {
        val chip = FakeChip()
        val thrown = mutableListOf<Class<*>>()
        onTag = { tag ->
            fun ask() {
                thrown += assertThrows(NoAnswer::class.java) { tag.link.transceive(byteArrayOf(1)) }.javaClass
            }
            chip.answer = { TransceiveResult(TransceiveResult.RESULT_FAILURE, null) }
            ask()
            chip.answer = { throw SecurityException("Permission Denial") }
            ask()
            chip.upToDate = false
            ask()
            thrown += assertThrows(NoAnswer::class.java) { tag.link.reselect() }.javaClass
            chip.upToDate = true
            chip.present = false
            ask()
            thrown += assertThrows(NoAnswer::class.java) { tag.link.reselect() }.javaClass
            ask()
        }
        tap(chip)
        assertEquals("tag", next())
        assertEquals(TagSilent::class.java, thrown.first())
        assertEquals(List(6) { TagGone::class.java }, thrown.drop(1))
    }

    @Test
    fun `a chip that is gone before it is connected is not told of`() {
        tap(FakeChip().apply { present = false })
        tap(FakeChip())
        assertEquals("tag", next())
        assertEquals(0, told.size)
    }

    @Test
    fun `a chip is removed when Android says so, and once`() {
        tap(FakeChip())
        assertEquals("tag", next())
        worker.submit {}.get()
        assertEquals(listOf(400), ShadowField.ignored)
        assertEquals(0, told.size)
        ShadowField.removed()
        ShadowLooper.idleMainLooper()
        assertEquals("removed", next())
        assertEquals(0, told.size)
    }

    @Test
    fun `a chip whose id is new each time is asked whether it is there, and told of once`() {
        val chip = FakeChip(uid = byteArrayOf(0x08, 1, 2, 3))
        tap(chip)
        assertEquals("tag", next())
        assertEquals(null, told.poll(600, TimeUnit.MILLISECONDS))
        chip.present = false
        assertEquals("removed", next())
        assertEquals(emptyList<Int>(), ShadowField.ignored)
    }

    @Test
    fun `a chip that Android no longer knows is removed at once`() {
        ShadowField.answersIgnore = false
        val chip = FakeChip()
        onTag = { chip.upToDate = false }
        tap(chip)
        assertEquals("tag", next())
        assertEquals("removed", next())
    }
}
