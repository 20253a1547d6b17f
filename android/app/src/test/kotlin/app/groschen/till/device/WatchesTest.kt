package app.groschen.till.device

import android.content.Intent
import android.os.BatteryManager
import android.os.PowerManager
import app.groschen.till.GroschenRunner
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowLooper

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class WatchesTest {
    private val app = RuntimeEnvironment.getApplication()
    private val power = shadowOf(checkNotNull(app.getSystemService(PowerManager::class.java)))

    private fun battery(level: Int, scale: Int = 100, plugged: Int = 0) {
        app.sendBroadcast(
            Intent(Intent.ACTION_BATTERY_CHANGED)
                .putExtra(BatteryManager.EXTRA_LEVEL, level)
                .putExtra(BatteryManager.EXTRA_SCALE, scale)
                .putExtra(BatteryManager.EXTRA_PLUGGED, plugged)
                .putExtra(BatteryManager.EXTRA_TEMPERATURE, 315),
        )
        ShadowLooper.idleMainLooper()
    }

    @Test
    fun `the battery is told of when it changes, until the watch is closed`() {
        val told = mutableListOf<Battery>()
        val watch = BatteryWatch(app, told::add)
        watch.start()
        battery(level = 41)
        battery(level = 41)
        battery(level = 40, plugged = BatteryManager.BATTERY_PLUGGED_USB)
        watch.close()
        battery(level = 39)
        assertEquals(listOf(Battery(41, charging = false, decidegrees = 315), Battery(40, charging = true, decidegrees = 315)), told)
    }

    @Test
    fun `a battery that does not tell its level is no battery`() {
        val told = mutableListOf<Battery>()
        BatteryWatch(app, told::add).use {
            it.start()
            battery(level = -1)
            battery(level = 50, scale = 0)
            battery(level = 150, scale = 200)
        }
        assertEquals(listOf(75), told.map { it.percent })
    }

    @Test
    fun `heat is told of by what can be done about it`() {
        val told = mutableListOf<Heat>()
        val watch = ThermalWatch(app, told::add)
        watch.start()
        for (status in listOf(
            PowerManager.THERMAL_STATUS_LIGHT,
            PowerManager.THERMAL_STATUS_MODERATE,
            PowerManager.THERMAL_STATUS_SEVERE,
            PowerManager.THERMAL_STATUS_CRITICAL,
            PowerManager.THERMAL_STATUS_NONE,
        )) {
            power.setCurrentThermalStatus(status)
            ShadowLooper.idleMainLooper()
        }
        watch.close()
        power.setCurrentThermalStatus(PowerManager.THERMAL_STATUS_SHUTDOWN)
        ShadowLooper.idleMainLooper()
        assertEquals(listOf(Heat.Fine, Heat.Warm, Heat.Hot, Heat.Fine), told)
    }
}
