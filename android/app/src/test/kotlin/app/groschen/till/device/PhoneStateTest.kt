package app.groschen.till.device

import android.content.pm.PackageManager
import android.media.AudioManager
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.nfc.NfcAdapter
import app.groschen.till.GroschenRunner
import app.groschen.view.Network
import app.groschen.view.NetworkKind
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowNetworkCapabilities
import org.robolectric.shadows.ShadowStatFs

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class PhoneStateTest {
    private val app = RuntimeEnvironment.getApplication()
    private val phone = PhoneState(app)

    private fun connect(transport: Int, dbm: Int) {
        val networks = checkNotNull(app.getSystemService(ConnectivityManager::class.java))
        val capabilities = ShadowNetworkCapabilities.newInstance()
        shadowOf(capabilities).addTransportType(transport)
        capabilities.setSignalStrength(dbm)
        shadowOf(networks).setNetworkCapabilities(networks.activeNetwork, capabilities)
    }

    @Test
    fun `the network is told by what carries it and its bars`() {
        connect(NetworkCapabilities.TRANSPORT_WIFI, dbm = -60)
        assertEquals(Network(NetworkKind.WIFI, bars = 3), phone.network())
        connect(NetworkCapabilities.TRANSPORT_CELLULAR, dbm = -120)
        assertEquals(Network(NetworkKind.MOBILE, bars = 1), phone.network())
        connect(NetworkCapabilities.TRANSPORT_ETHERNET, dbm = NetworkCapabilities.SIGNAL_STRENGTH_UNSPECIFIED)
        assertEquals(Network(NetworkKind.CABLE, bars = 4), phone.network())
        connect(NetworkCapabilities.TRANSPORT_BLUETOOTH, dbm = -40)
        assertEquals(Network(NetworkKind.NONE, bars = 0), phone.network())
    }

    @Test
    fun `no network has no bars`() {
        shadowOf(checkNotNull(app.getSystemService(ConnectivityManager::class.java))).setDefaultNetworkActive(false)
        shadowOf(checkNotNull(app.getSystemService(ConnectivityManager::class.java))).clearAllNetworks()
        assertEquals(Network(NetworkKind.NONE, bars = 0), phone.network())
    }

    @Test
    fun `bars go from none to four`() {
        assertEquals(listOf(0, 1, 2, 3, 4), listOf(-95, -80, -70, -60, -40).map { PhoneState.bars(NetworkKind.WIFI, it) })
        assertEquals(listOf(0, 1, 2, 3, 4), listOf(-130, -120, -110, -100, -80).map { PhoneState.bars(NetworkKind.MOBILE, it) })
    }

    @Test
    fun `a phone without NFC has none that is on`() {
        assertFalse(phone.nfcIsOn())
    }

    @Test
    fun `NFC is on when there is some and nobody has switched it off`() {
        shadowOf(app.packageManager).setSystemFeature(PackageManager.FEATURE_NFC, true)
        val adapter = shadowOf(checkNotNull(NfcAdapter.getDefaultAdapter(app)))
        adapter.setEnabled(false)
        assertFalse(phone.nfcIsOn())
        adapter.setEnabled(true)
        assertTrue(phone.nfcIsOn())
    }

    @Test
    fun `a till at volume zero is not heard`() {
        val audio = checkNotNull(app.getSystemService(AudioManager::class.java))
        audio.setStreamVolume(AudioManager.STREAM_MUSIC, 0, 0)
        assertFalse(phone.isAudible())
        audio.setStreamVolume(AudioManager.STREAM_MUSIC, 1, 0)
        assertTrue(phone.isAudible())
    }

    @Test
    fun `free room is that of the disk the data lies on, which no backup takes`() {
        val folder = DataFolder.of(app)
        assertTrue(folder.isDirectory)
        assertEquals(app.noBackupFilesDir, folder.parentFile)
        ShadowStatFs.registerStats(folder, 1_000_000, 500_000, 500_000)
        assertEquals(500_000L * ShadowStatFs.BLOCK_SIZE / 1_000_000, phone.freeMegabytes())
    }
}
