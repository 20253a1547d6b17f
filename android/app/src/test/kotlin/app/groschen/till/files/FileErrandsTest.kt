package app.groschen.till.files

import android.net.Uri
import app.groschen.core.EvacuatedFile
import app.groschen.core.KeysException
import app.groschen.till.GroschenRunner
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.OutputStream

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class FileErrandsTest {
    private class FakeCore : CoreFiles {
        var lacking = emptyList<EvacuatedFile>()
        var isBusy = false
        var keys: () -> Int = { 2 }
        val taken = ArrayList<ByteArray>()
        val passphrases = ArrayList<String>()

        override fun evacuated() = lacking

        override fun takeFile(file: ByteArray) = !isBusy && taken.add(file)

        override fun takeKeys(file: ByteArray, passphrase: String): Int {
            passphrases += passphrase
            return keys()
        }
    }

    private class FakePicker : Picker {
        var isThere = true
        val created = ArrayList<String>()
        val opened = ArrayList<Wanted>()

        override fun create(name: String) = isThere && created.add(name)

        override fun open(wanted: Wanted) = isThere && opened.add(wanted)
    }

    private val core = FakeCore()
    private val picker = FakePicker()
    private val disk = checkNotNull(RuntimeEnvironment.getApplication().contentResolver)
    private val waiting = ArrayDeque<Runnable>()
    private var isSlow = false
    private val states = ArrayList<Errand>()
    private val errands = FileErrands(core, disk, { if (isSlow) waiting += it else it.run() }, { it() })

    private fun place(name: String): Uri = Uri.parse("content://stick/$name")

    private fun journal(size: Int, name: String = "17-1-1.groschen") = EvacuatedFile(name, ByteArray(size) { it.toByte() }, 3)

    private fun lies(name: String, bytes: ByteArray): Uri = place(name).also { shadowOf(disk).registerInputStream(it, ByteArrayInputStream(bytes)) }

    private fun writable(name: String): Pair<Uri, ByteArrayOutputStream> {
        val stream = ByteArrayOutputStream()
        return place(name).also { shadowOf(disk).registerOutputStream(it, stream) } to stream
    }

    @Before
    fun watch() {
        errands.picker = picker
        errands.changed = { states += errands.state }
    }

    @Test
    fun `what the server lacks is written where the person pointed, file after file`() {
        core.lacking = listOf(journal(300), journal(20, "17-1-301.groschen"))
        val (first, one) = writable("a")
        val (second, two) = writable("b")
        errands.give()
        assertEquals(listOf("17-1-1.groschen"), picker.created)
        errands.writeTo(first)
        assertEquals(listOf("17-1-1.groschen", "17-1-301.groschen"), picker.created)
        assertEquals(Errand.Running, errands.state)
        errands.writeTo(second)
        assertArrayEquals(core.lacking[0].bytes, one.toByteArray())
        assertArrayEquals(core.lacking[1].bytes, two.toByteArray())
        assertEquals(Errand.Given(2), errands.state)
        errands.forget()
        assertEquals(Errand.None, errands.state)
    }

    @Test
    fun `a picker that is left gives nothing, or says how much is written`() {
        core.lacking = listOf(journal(300), journal(20))
        errands.give()
        errands.writeTo(null)
        assertEquals(Errand.Left(0, 2), errands.state)
        errands.give()
        errands.writeTo(writable("a").first)
        errands.writeTo(null)
        assertEquals(Errand.Left(1, 2), errands.state)
    }

    @Test
    fun `a full stick is said, and a half written file is no copy`() {
        core.lacking = listOf(journal(300))
        val full = object : OutputStream() {
            override fun write(byte: Int): Unit = throw IOException("No space left on device")
        }
        shadowOf(disk).registerOutputStream(place("full"), full)
        errands.give()
        errands.writeTo(place("full"))
        assertEquals(Errand.Failed(NoFile.UNWRITABLE), errands.state)
    }

    @Test
    fun `nothing to give opens no picker`() {
        errands.give()
        assertEquals(emptyList<String>(), picker.created)
        assertEquals(Errand.NothingToGive, errands.state)
    }

    @Test
    fun `a phone without a picker says so`() {
        picker.isThere = false
        core.lacking = listOf(journal(300))
        errands.give()
        assertEquals(Errand.Failed(NoFile.NO_PICKER), errands.state)
        errands.take(Wanted.JOURNAL)
        assertEquals(listOf(Errand.Running, Errand.Failed(NoFile.NO_PICKER)), states.takeLast(2))
    }

    @Test
    fun `another phone's file goes to the core as it is, which says the rest`() {
        val bytes = ByteArray(Wanted.JOURNAL.mostBytes) { (it * 7).toByte() }
        errands.take(Wanted.JOURNAL)
        assertEquals(listOf(Wanted.JOURNAL), picker.opened)
        errands.readFrom(lies("other", bytes), Wanted.JOURNAL)
        assertArrayEquals(bytes, core.taken.single())
        assertEquals(Errand.None, errands.state)
    }

    @Test
    fun `a file that is too large, empty or not to be read goes nowhere`() {
        errands.readFrom(lies("large", ByteArray(Wanted.JOURNAL.mostBytes + 1)), Wanted.JOURNAL)
        assertEquals(Errand.Failed(NoFile.TOO_LARGE), errands.state)
        errands.readFrom(lies("large keys", ByteArray(Wanted.KEYS.mostBytes + 1)), Wanted.KEYS)
        assertEquals(Errand.Failed(NoFile.TOO_LARGE), errands.state)
        errands.readFrom(lies("empty", ByteArray(0)), Wanted.JOURNAL)
        assertEquals(Errand.Failed(NoFile.UNREADABLE), errands.state)
        errands.readFrom(place("gone"), Wanted.JOURNAL)
        assertEquals(Errand.Failed(NoFile.UNREADABLE), errands.state)
        errands.readFrom(null, Wanted.JOURNAL)
        assertEquals(Errand.Left(), errands.state)
        assertEquals(0, core.taken.size)
    }

    @Test
    fun `a core that has too much to do takes no file`() {
        core.isBusy = true
        errands.readFrom(lies("other", ByteArray(10)), Wanted.JOURNAL)
        assertEquals(Errand.Failed(NoFile.BUSY), errands.state)
    }

    @Test
    fun `keys are taken with their passphrase, however often it is mistyped`() {
        core.keys = { throw KeysException.Locked() }
        errands.readFrom(lies("keys", ByteArray(200)), Wanted.KEYS)
        assertEquals(Errand.Locked(isWrong = false), errands.state)
        errands.unlock("wrong")
        assertEquals(Errand.Locked(isWrong = true), errands.state)
        core.keys = { 3 }
        errands.unlock("right")
        assertEquals(Errand.KeysTaken(3), errands.state)
        assertEquals(listOf("wrong", "right"), core.passphrases)
        errands.unlock("again")
        assertEquals("the file is no longer here", 2, core.passphrases.size)
    }

    @Test
    fun `a file that holds no keys for a till, and a phone that takes none, are said`() {
        core.keys = { throw KeysException.NotForATill() }
        errands.readFrom(lies("a", ByteArray(200)), Wanted.KEYS)
        errands.unlock("right")
        assertEquals(Errand.Failed(NoFile.NO_KEYS), errands.state)
        core.keys = { throw KeysException.Keystore("the device is locked") }
        errands.readFrom(lies("b", ByteArray(200)), Wanted.KEYS)
        errands.unlock("right")
        assertEquals(Errand.Failed(NoFile.NOT_TAKEN, "the device is locked"), errands.state)
    }

    @Test
    fun `a page that is left gives up what waits for a passphrase, and nothing that runs`() {
        errands.readFrom(lies("keys", ByteArray(200)), Wanted.KEYS)
        errands.forget()
        errands.unlock("right")
        assertEquals(0, core.passphrases.size)
        isSlow = true
        errands.readFrom(lies("other", ByteArray(10)), Wanted.JOURNAL)
        errands.forget()
        assertEquals(Errand.Running, errands.state)
        while (waiting.isNotEmpty()) waiting.removeFirst().run()
        assertEquals(1, core.taken.size)
        assertEquals(Errand.None, errands.state)
    }

    @Test
    fun `an answer of the picker to a process that knows nothing of it writes nothing`() {
        val (somewhere, stream) = writable("a")
        errands.writeTo(somewhere)
        assertEquals(0, stream.size())
        assertEquals(Errand.Failed(NoFile.UNWRITABLE), errands.state)
    }
}
