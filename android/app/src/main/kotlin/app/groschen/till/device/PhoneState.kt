package app.groschen.till.device

import android.content.Context
import android.media.AudioManager
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.nfc.NfcAdapter
import android.os.Build
import android.os.StatFs
import app.groschen.view.Network
import app.groschen.view.NetworkKind

/** What the checks before a shift want to know of the phone. Asked when it is shown, not watched. */
class PhoneState(private val context: Context) {
    /** False without NFC, or where somebody has switched it off. */
    fun nfcIsOn(): Boolean = NfcAdapter.getDefaultAdapter(context)?.isEnabled == true

    /** Whether the volume of the till's sounds is above zero. */
    fun isAudible(): Boolean = checkNotNull(context.getSystemService(AudioManager::class.java)).getStreamVolume(AudioManager.STREAM_MUSIC) > 0

    fun freeMegabytes(): Long = StatFs(DataFolder.of(context).path).availableBytes / BYTES_PER_MB

    fun network(): Network {
        val networks = checkNotNull(context.getSystemService(ConnectivityManager::class.java))
        val now = networks.getNetworkCapabilities(networks.activeNetwork) ?: return Network(NetworkKind.NONE, bars = 0)
        val kind = when {
            now.hasTransport(NetworkCapabilities.TRANSPORT_ETHERNET) -> NetworkKind.CABLE
            now.hasTransport(NetworkCapabilities.TRANSPORT_WIFI) -> NetworkKind.WIFI
            now.hasTransport(NetworkCapabilities.TRANSPORT_CELLULAR) -> NetworkKind.MOBILE
            else -> NetworkKind.NONE
        }
        return Network(kind, if (kind == NetworkKind.NONE) 0 else bars(kind, strength(now)))
    }

    private fun strength(now: NetworkCapabilities): Int =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) now.signalStrength else NetworkCapabilities.SIGNAL_STRENGTH_UNSPECIFIED

    internal companion object {
        private const val BYTES_PER_MB = 1_000_000L

        // Where Android's own signs change, in dBm.
        private val WIFI_DBM = listOf(-88, -77, -66, -55)
        private val MOBILE_DBM = listOf(-125, -115, -105, -95)

        /** A cable, and a radio whose strength the phone keeps to itself, count as full. */
        fun bars(kind: NetworkKind, dbm: Int): Int = when {
            kind == NetworkKind.CABLE || dbm == NetworkCapabilities.SIGNAL_STRENGTH_UNSPECIFIED -> 4
            kind == NetworkKind.WIFI -> WIFI_DBM.count { dbm >= it }
            else -> MOBILE_DBM.count { dbm >= it }
        }
    }
}
