package app.groschen.till.device

import android.content.Context
import java.io.File

/** Where the core keeps the till's data: never part of a backup, because a journal that lives twice is a fork. */
object DataFolder {
    fun of(context: Context): File = File(context.noBackupFilesDir, "till").apply(File::mkdirs)
}
