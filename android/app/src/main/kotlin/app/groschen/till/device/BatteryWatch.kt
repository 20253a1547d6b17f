package app.groschen.till.device

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.BatteryManager

/** The battery as a till shows and reports it. */
data class Battery(val percent: Int, val charging: Boolean, val decidegrees: Int) {
    internal companion object {
        /** Null for a phone that does not tell. */
        fun of(intent: Intent): Battery? {
            val level = intent.getIntExtra(BatteryManager.EXTRA_LEVEL, -1)
            val scale = intent.getIntExtra(BatteryManager.EXTRA_SCALE, -1)
            if (level < 0 || scale <= 0) return null
            return Battery(
                percent = (level * 100 / scale).coerceIn(0, 100),
                charging = intent.getIntExtra(BatteryManager.EXTRA_PLUGGED, 0) != 0,
                decidegrees = intent.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, 0),
            )
        }
    }
}

/** Tells [onChange] of the battery, first what it is now. Android says it several times a minute; only changes come through. */
class BatteryWatch(private val context: Context, private val onChange: (Battery) -> Unit) : BroadcastReceiver(), AutoCloseable {
    private var last: Battery? = null

    fun start() {
        context.registerReceiver(this, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
    }

    override fun close() = context.unregisterReceiver(this)

    override fun onReceive(context: Context, intent: Intent) {
        val now = Battery.of(intent) ?: return
        if (now != last) {
            last = now
            onChange(now)
        }
    }
}
