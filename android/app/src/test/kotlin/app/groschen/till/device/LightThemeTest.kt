package app.groschen.till.device

import android.hardware.Sensor
import android.hardware.SensorManager
import app.groschen.till.GroschenRunner
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.SensorEventBuilder
import org.robolectric.shadows.ShadowSensor
import java.util.concurrent.TimeUnit

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class LightThemeTest {
    private val app = RuntimeEnvironment.getApplication()
    private val sensors = shadowOf(checkNotNull(app.getSystemService(SensorManager::class.java)))
    private val told = mutableListOf<Boolean>()

    @Test
    fun `dark for half a minute makes night, once`() {
        val sensor: Sensor = ShadowSensor.newInstance(Sensor.TYPE_LIGHT)
        sensors.addSensor(sensor)
        val theme = LightTheme(app, night = false, onNight = told::add)
        assertTrue(theme.resume())
        for (s in 0L..90L) {
            sensors.sendSensorEventToListeners(
                SensorEventBuilder.newBuilder().setSensor(sensor).setValues(floatArrayOf(2f)).setTimestamp(TimeUnit.SECONDS.toNanos(s)).build(),
            )
        }
        assertEquals(listOf(true), told)
        theme.pause()
        assertFalse(sensors.hasListener(theme))
    }

    @Test
    fun `a phone without the sensor says so`() {
        assertFalse(LightTheme(app, night = false, onNight = told::add).resume())
    }
}
