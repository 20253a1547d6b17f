package app.groschen.till.core

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import app.groschen.till.device.Battery
import app.groschen.till.device.BatteryWatch
import app.groschen.till.device.Heat
import app.groschen.till.device.PhoneState
import app.groschen.till.device.ThermalWatch
import app.groschen.till.keys.DeviceKeystore
import app.groschen.till.keys.KeyUnavailable
import app.groschen.till.kiosk.LockTask
import app.groschen.view.DeviceState
import app.groschen.view.KeyPlace
import app.groschen.view.Language

/** Watches the phone and tells the core of it; [state] may be asked for from any thread. */
internal class Device(private val context: Context, private val keys: DeviceKeystore) : AutoCloseable {
    private val watches = mutableListOf<AutoCloseable>()
    private val phone = PhoneState(context)
    private val kiosk = LockTask(context)
    @Volatile private var battery: Battery? = null
    @Volatile private var heat = Heat.Fine

    /** Whether it is dark around; null where nobody measures. */
    @Volatile var dark: Boolean? = null

    /** Begins to watch. */
    fun watch(onChange: () -> Unit, onNetwork: () -> Unit) {
        val battery = BatteryWatch(context) {
            battery = it
            onChange()
        }
        battery.start()
        val heat = ThermalWatch(context) {
            heat = it
            onChange()
        }
        heat.start()
        watches += listOf(battery, heat, networkWatch(onChange, onNetwork))
    }

    override fun close() = watches.forEach(AutoCloseable::close)

    private fun networkWatch(onChange: () -> Unit, onNetwork: () -> Unit): AutoCloseable {
        val networks = checkNotNull(context.getSystemService(ConnectivityManager::class.java))
        val callback = object : ConnectivityManager.NetworkCallback() {
            override fun onAvailable(network: Network) {
                onNetwork()
                onChange()
            }

            override fun onLost(network: Network) = onChange()
        }
        networks.registerDefaultNetworkCallback(callback)
        return AutoCloseable { networks.unregisterNetworkCallback(callback) }
    }

    fun state() = DeviceState(
        language = language(context),
        battery = battery?.percent,
        charging = battery?.charging ?: false,
        hot = heat == Heat.Hot,
        dark = dark,
        nfc = phone.nfcIsOn(),
        audible = phone.isAudible(),
        network = phone.network(),
        diskMb = phone.freeMegabytes(),
        key = keyPlace(),
        // The core knows this one itself.
        batches = 0,
        kiosk = kiosk.isLocked,
    )

    private fun keyPlace(): KeyPlace = try {
        keys.keyPlace()
    } catch (_: KeyUnavailable) {
        KeyPlace.UNKNOWN
    }

    companion object {
        /** The language of the phone, for who is not logged in. */
        fun language(context: Context): Language =
            if (context.resources.configuration.locales[0].language == "de") Language.GERMAN else Language.ENGLISH
    }
}
