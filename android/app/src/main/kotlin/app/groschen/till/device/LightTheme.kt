package app.groschen.till.device

import android.content.Context
import android.hardware.Sensor
import android.hardware.SensorEvent
import android.hardware.SensorEventListener
import android.hardware.SensorManager
import java.util.concurrent.TimeUnit

/** Chooses day or night by the phone's light sensor; does nothing on a phone that has none. [onNight] is called at changes only. */
class LightTheme(context: Context, private var night: Boolean, private val onNight: (Boolean) -> Unit) : SensorEventListener {
    private val sensors = checkNotNull(context.getSystemService(SensorManager::class.java))
    private val light: Sensor? = sensors.getDefaultSensor(Sensor.TYPE_LIGHT)
    private val judge = DayOrNight(night)

    /** From `onResume`. False if there is no sensor: the choice is the cashier's then. */
    fun resume(): Boolean = light != null && sensors.registerListener(this, light, SensorManager.SENSOR_DELAY_NORMAL)

    /** From `onPause`. */
    fun pause() = sensors.unregisterListener(this)

    override fun onSensorChanged(event: SensorEvent) {
        val now = judge.read(event.values[0], TimeUnit.NANOSECONDS.toMillis(event.timestamp))
        if (now != night) {
            night = now
            onNight(now)
        }
    }

    override fun onAccuracyChanged(sensor: Sensor?, accuracy: Int) = Unit
}
