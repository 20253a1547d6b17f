package app.groschen.till.files

import android.content.ContentResolver
import android.net.Uri
import android.provider.DocumentsContract
import app.groschen.core.EvacuatedFile
import app.groschen.core.KeysException
import java.io.ByteArrayOutputStream
import java.io.FileOutputStream
import java.io.IOException
import java.io.InputStream
import java.util.concurrent.Executor

/** What the core does with files. Each call takes as long as the disk, the Keystore or a passphrase. */
interface CoreFiles {
    /** What the server lacks. */
    fun evacuated(): List<EvacuatedFile>

    /** Another phone's file; false if the core cannot take it now. What became of it is in its view. */
    fun takeFile(file: ByteArray): Boolean

    /** A sealed file of keys; gives for how many batches. */
    @Throws(KeysException::class)
    fun takeKeys(file: ByteArray, passphrase: String): Int
}

/** Android's picker of files, opened by the window that is in front. False if there is none. */
interface Picker {
    /** Where a file of this name shall be written; the answer comes to [FileErrands.writeTo]. */
    fun create(name: String): Boolean

    /** Which file shall be read; the answer comes to [FileErrands.readFrom]. */
    fun open(wanted: Wanted): Boolean
}

/** What a file is wanted for, and how large one may be. */
enum class Wanted(val mostBytes: Int) {
    /** As much as the core keeps for other phones. */
    JOURNAL(2 * 1024 * 1024),

    /** Some batches: a hundred would have a few thousand. */
    KEYS(64 * 1024),
}

/**
 * Bookings and keys as files, by Android's own picker: no permission is needed, and what is read and written is what a person pointed at. One for the
 * process, because a window may be made anew while the picker is before it.
 *
 * All but the work itself is on the screen's thread, to which [onScreen] brings what came of it.
 */
class FileErrands(
    private val core: CoreFiles,
    private val disk: ContentResolver,
    private val worker: Executor,
    private val onScreen: (() -> Unit) -> Unit,
) {
    /** The window that is there; it opens pickers and draws how things stand. */
    var picker: Picker? = null
    var changed: () -> Unit = {}

    var state: Errand = Errand.None
        private set(next) {
            if (field == next) return
            field = next
            changed()
        }

    private var toGive = emptyList<EvacuatedFile>()
    private var given = 0
    private var keys: ByteArray? = null

    /** What the server lacks shall be written to files: one after the other, mostly one. */
    fun give() = work({ core.evacuated() }) { files ->
        toGive = files
        given = 0
        if (files.isEmpty()) state = Errand.NothingToGive else createNext()
    }

    private fun createNext() {
        val next = toGive.getOrNull(given)
        when {
            next == null -> finish(Errand.Given(given))
            picker?.create(next.name) != true -> finish(Errand.Failed(NoFile.NO_PICKER))
        }
    }

    /** Where the next file goes; nowhere, if the picker was left. */
    fun writeTo(place: Uri?) {
        if (place == null) return finish(Errand.Left(given, toGive.size))
        val file = toGive.getOrNull(given)
        work({ written(file, place) }) { isWritten ->
            given++
            if (isWritten) createNext() else finish(Errand.Failed(NoFile.UNWRITABLE))
        }
    }

    /** A file is wanted. */
    fun take(wanted: Wanted) {
        if (state is Errand.Running) return
        state = Errand.Running
        if (picker?.open(wanted) != true) finish(Errand.Failed(NoFile.NO_PICKER))
    }

    /** The file that was picked; none, if the picker was left. */
    fun readFrom(place: Uri?, wanted: Wanted) {
        if (place == null) return finish(Errand.Left())
        work({ read(place, wanted.mostBytes) }) { read ->
            when (read) {
                is Read.Failed -> finish(Errand.Failed(read.why))
                is Read.Whole -> if (wanted == Wanted.KEYS) askPassphrase(read.bytes) else giveToCore(read.bytes)
            }
        }
    }

    private fun giveToCore(file: ByteArray) = work({ core.takeFile(file) }) { isTaken ->
        // What is in it, and whether it is of any use, the core says.
        finish(if (isTaken) Errand.None else Errand.Failed(NoFile.BUSY))
    }

    private fun askPassphrase(file: ByteArray) {
        keys = file
        state = Errand.Locked(isWrong = false)
    }

    /** Opens the file of keys. */
    fun unlock(passphrase: String) {
        val file = keys ?: return
        work({ keysOf(file, passphrase) }) { came ->
            if (came is Errand.Locked) state = came else finish(came)
        }
    }

    private fun keysOf(file: ByteArray, passphrase: String): Errand = try {
        Errand.KeysTaken(core.takeKeys(file, passphrase))
    } catch (_: KeysException.Locked) {
        Errand.Locked(isWrong = true)
    } catch (_: KeysException.NotForATill) {
        Errand.Failed(NoFile.NO_KEYS)
    } catch (not: KeysException.Keystore) {
        Errand.Failed(NoFile.NOT_TAKEN, not.reason)
    } catch (not: KeysException.Disk) {
        Errand.Failed(NoFile.NOT_TAKEN, not.reason)
    }

    /** What was said is read, or what was begun is given up. A picker that is open answers later all the same. */
    fun forget() {
        if (state !is Errand.Running) finish(Errand.None)
    }

    private fun finish(over: Errand) {
        toGive = emptyList()
        given = 0
        keys = null
        state = over
    }

    private fun <T> work(what: () -> T, then: (T) -> Unit) {
        state = Errand.Running
        worker.execute {
            val came = what()
            onScreen { then(came) }
        }
    }

    private fun written(file: EvacuatedFile?, place: Uri): Boolean {
        val isWritten = file != null && wrote(file.bytes, place)
        // Half a copy would be taken for one.
        if (!isWritten) reaching { DocumentsContract.deleteDocument(disk, place) }
        return isWritten
    }

    private fun wrote(bytes: ByteArray, place: Uri): Boolean = reaching {
        val stream = disk.openOutputStream(place, "wt") ?: return@reaching false
        stream.use {
            it.write(bytes)
            it.flush()
            // A stick is pulled as soon as the screen says that it is written.
            if (it is FileOutputStream) it.fd.sync()
        }
        true
    } ?: false

    private fun read(place: Uri, most: Int): Read {
        val read = reaching { disk.openInputStream(place)?.use { atMost(it, most) } }
        return read ?: Read.Failed(NoFile.UNREADABLE)
    }

    private fun atMost(from: InputStream, most: Int): Read {
        val read = ByteArrayOutputStream()
        val part = ByteArray(PART_BYTES)
        while (true) {
            val count = from.read(part)
            if (count < 0) break
            read.write(part, 0, count)
            if (read.size() > most) return Read.Failed(NoFile.TOO_LARGE)
        }
        return if (read.size() == 0) Read.Failed(NoFile.UNREADABLE) else Read.Whole(read.toByteArray())
    }

    private sealed interface Read {
        class Whole(val bytes: ByteArray) : Read

        class Failed(val why: NoFile) : Read
    }

    private companion object {
        const val PART_BYTES = 16 * 1024

        /** What stands behind a file is another app, which may answer anything. */
        fun <T> reaching(what: () -> T?): T? = try {
            what()
        } catch (_: IOException) {
            null
        } catch (_: RuntimeException) {
            null
        }
    }
}
