package app.groschen.till.core

import android.util.Log
import app.groschen.core.LogLevel
import app.groschen.core.LogSink

/** The core's log lines in Android's log, where a technician with a cable finds them. */
internal object Logcat : LogSink {
    override fun line(level: LogLevel, target: String, text: String) {
        val priority = when (level) {
            LogLevel.ERROR -> Log.ERROR
            LogLevel.WARN -> Log.WARN
            LogLevel.INFO -> Log.INFO
            LogLevel.DEBUG -> Log.DEBUG
        }
        Log.println(priority, "groschen", "$target: $text")
    }
}
