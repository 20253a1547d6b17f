package app.groschen.till.device

import android.content.Context
import android.os.Build
import android.os.PowerManager

/** How hot a phone is, by what can be done about it. */
enum class Heat {
    Fine,

    /** Android slows the phone down: put it into the shade. */
    Warm,

    /** It will switch off soon: hand the queue to another phone. */
    Hot,
}

/** Tells [onChange] how hot the phone is, first what it is now. Android says so from version 10 on; older phones say nothing. */
class ThermalWatch(context: Context, private val onChange: (Heat) -> Unit) : AutoCloseable {
    private val power = checkNotNull(context.getSystemService(PowerManager::class.java))
    private var last: Heat? = null
    private var stop: () -> Unit = {}

    fun start() {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return
        val listener = PowerManager.OnThermalStatusChangedListener { status -> tell(heat(status)) }
        power.addThermalStatusListener(listener)
        stop = { power.removeThermalStatusListener(listener) }
        tell(heat(power.currentThermalStatus))
    }

    override fun close() = stop()

    private fun tell(heat: Heat) {
        if (heat != last) {
            last = heat
            onChange(heat)
        }
    }

    private fun heat(status: Int): Heat = when {
        status >= PowerManager.THERMAL_STATUS_CRITICAL -> Heat.Hot
        status >= PowerManager.THERMAL_STATUS_MODERATE -> Heat.Warm
        else -> Heat.Fine
    }
}
