package app.groschen.till.device

import android.content.Context
import android.os.SystemClock
import android.provider.Settings

/** The phone's clocks, and which of its lives this is: the monotonic one starts anew with each. */
class PhoneClock(private val context: Context) {
    fun wallMs(): Long = System.currentTimeMillis()

    /** Goes on while the phone sleeps. */
    fun monotonicMs(): Long = SystemClock.elapsedRealtime()

    fun bootCount(): Int = Settings.Global.getInt(context.contentResolver, Settings.Global.BOOT_COUNT, 0)
}
