package app.groschen.till.scan

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager
import android.nfc.NfcAdapter
import app.groschen.till.GroschenRunner
import app.groschen.till.R
import app.groschen.till.Shell
import app.groschen.till.TillActivity
import app.groschen.till.TillApplication
import app.groschen.till.await
import app.groschen.till.nfc.ShadowField
import app.groschen.till.press
import app.groschen.till.says
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowLooper

/** Scanning on the page of registration, from the touch to the real core: all but the camera itself. */
@RunWith(GroschenRunner::class)
@Config(sdk = [35], qualifiers = "de", application = TillApplication::class, shadows = [ShadowField::class])
class ScanningTest {
    private val shell = Shell()
    private val app = shell.app
    private val camera = FakeCamera()
    private lateinit var window: ActivityController<TillActivity>

    @Before
    fun `a new phone asks for its code`() {
        app.cameraOf = { camera }
        shell.begin()
        window = shell.start()
        activity.await(R.string.register_code)
    }

    @After
    fun end() {
        window.destroy()
        assertFalse("the camera of a window that is gone is open", camera.isOpen)
        shell.end()
    }

    private val activity: Activity get() = window.get()

    private fun says(id: Int) = activity.says(id)

    private fun press(id: Int) = activity.press(id)

    private fun allowed() = shadowOf(app).grantPermissions(Manifest.permission.CAMERA)

    private fun answer(result: Int, mayAskAgain: Boolean = true) {
        shadowOf(app.packageManager).setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, mayAskAgain)
        activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.CAMERA), intArrayOf(result))
        ShadowLooper.idleMainLooper()
    }

    @Test
    fun `nothing is asked and no camera is open before somebody scans`() {
        assertEquals(0, camera.opened)
        assertTrue(shadowOf(activity).lastRequestedPermission?.requestedPermissions?.contains(Manifest.permission.CAMERA) != true)
    }

    @Test
    fun `a code in the picture reaches the core, and what it says of it is on the page`() {
        allowed()
        press(R.string.scan_code)
        assertTrue(camera.isOpen)
        assertTrue(says(R.string.scan_hint))
        camera.sees(Frame("https://example.org/", width = 640, height = 480), pictures = 30)
        activity.await(R.string.register_no_code)
        assertTrue("a wrong code is no end of scanning", camera.isOpen)
        press(R.string.cancel)
        assertFalse(camera.isOpen)
        assertTrue(says(R.string.register_code))
    }

    @Test
    fun `the first touch asks for the permission, and a yes opens the camera at once`() {
        press(R.string.scan_code)
        assertEquals(listOf(Manifest.permission.CAMERA), shadowOf(activity).lastRequestedPermission.requestedPermissions.toList())
        assertFalse(camera.isOpen)
        allowed()
        answer(PackageManager.PERMISSION_GRANTED)
        assertTrue(camera.isOpen)
    }

    @Test
    fun `a no says what does it instead, and how to change one's mind`() {
        press(R.string.scan_code)
        answer(PackageManager.PERMISSION_DENIED)
        assertTrue(says(R.string.scan_refused))
        assertTrue(says(R.string.scan_instead_paste))
        assertTrue(says(R.string.scan_refused_now))
        answer(PackageManager.PERMISSION_DENIED, mayAskAgain = false)
        assertTrue(says(R.string.scan_barred_now))
        assertEquals(0, camera.opened)
    }

    @Test
    fun `a question that was never shown is no answer`() {
        press(R.string.scan_code)
        activity.onRequestPermissionsResult(1, emptyArray(), IntArray(0))
        ShadowLooper.idleMainLooper()
        assertFalse(says(R.string.scan_refused))
    }

    @Test
    fun `a phone without a camera says so`() {
        camera.exists = false
        press(R.string.scan_code)
        assertTrue(says(R.string.scan_missing))
        assertTrue(says(R.string.scan_instead_paste))
    }

    @Test
    fun `a window that is not in front has no camera open, and begins anew when somebody scans again`() {
        allowed()
        press(R.string.scan_code)
        window.pause()
        assertFalse(camera.isOpen)
        window.resume()
        assertFalse(camera.isOpen)
        press(R.string.scan_code)
        assertTrue(camera.isOpen)
    }

    @Test
    fun `the back key ends scanning and not the page`() {
        allowed()
        press(R.string.scan_code)
        @Suppress("DEPRECATION") activity.onBackPressed()
        ShadowLooper.idleMainLooper()
        assertFalse(camera.isOpen)
        assertTrue(says(R.string.register_code))
    }

    @Test
    fun `wristbands are listened for while the camera is open`() {
        allowed()
        press(R.string.scan_code)
        assertTrue(shadowOf(NfcAdapter.getDefaultAdapter(app)).isInReaderMode)
    }

    @Test
    fun `the lamp is switched from the page`() {
        allowed()
        press(R.string.scan_code)
        press(R.string.scan_light)
        assertTrue(camera.lit)
        press(R.string.scan_dark)
        assertFalse(camera.lit)
    }
}
