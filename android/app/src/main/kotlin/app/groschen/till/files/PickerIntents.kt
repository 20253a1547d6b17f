package app.groschen.till.files

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri

/** Android's picker of files, before a window. */
class PickerIntents(private val activity: Activity) : Picker {
    override fun create(name: String): Boolean = start(WRITE, Intent(Intent.ACTION_CREATE_DOCUMENT).setType(BYTES).putExtra(Intent.EXTRA_TITLE, name))

    // Any type: what other apps call a file of ours nobody knows.
    override fun open(wanted: Wanted): Boolean = start(codeOf(wanted), Intent(Intent.ACTION_OPEN_DOCUMENT).setType(ANY))

    private fun start(code: Int, intent: Intent): Boolean = try {
        activity.startActivityForResult(intent.addCategory(Intent.CATEGORY_OPENABLE), code)
        true
    } catch (_: ActivityNotFoundException) {
        false
    } catch (_: SecurityException) {
        false
    }

    companion object {
        private const val ANY = "*/*"
        private const val BYTES = "application/octet-stream"
        private const val WRITE = 100
        private const val READ = 101

        private fun codeOf(wanted: Wanted) = READ + wanted.ordinal

        /** An answer that is the picker's goes to [files]. */
        fun answer(files: FileErrands, code: Int, place: Uri?) {
            if (code == WRITE) return files.writeTo(place)
            Wanted.entries.find { codeOf(it) == code }?.let { files.readFrom(place, it) }
        }
    }
}
