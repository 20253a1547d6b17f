package app.groschen.till.scan

import android.graphics.ImageFormat
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.util.Size
import app.groschen.till.GroschenRunner
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.StreamConfigurationMapBuilder
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit

/** Android's camera with Robolectric's stand-in behind it: what is opened is closed, and whatever goes wrong is said. */
@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class BackCameraTest {
    private val app = checkNotNull(RuntimeEnvironment.getApplication())
    private val cameras = shadowOf(checkNotNull(app.getSystemService(CameraManager::class.java)))
    private val camera = BackCamera(app)
    private val said = CopyOnWriteArrayList<String>()

    private val watcher = object : ScanCamera.Watcher {
        override fun opened(hasLight: Boolean) {
            said += "opened, light $hasLight"
        }

        override fun read(text: String) {
            said += "read $text"
        }

        override fun failed() {
            said += "failed"
        }
    }

    private fun add(id: String, facing: Int, light: Boolean = true) {
        val traits = ShadowCameraCharacteristics.newCameraCharacteristics()
        val sizes = StreamConfigurationMapBuilder.newBuilder().addOutputSize(ImageFormat.YUV_420_888, Size(640, 480)).build()
        shadowOf(traits).apply {
            set(CameraCharacteristics.LENS_FACING, facing)
            set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, sizes)
            set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
            set(CameraCharacteristics.FLASH_INFO_AVAILABLE, light)
            set(CameraCharacteristics.CONTROL_AF_AVAILABLE_MODES, intArrayOf(CameraMetadata.CONTROL_AF_MODE_CONTINUOUS_PICTURE))
        }
        cameras.addCamera(id, traits)
    }

    private fun await(what: String, fits: () -> Boolean) {
        val until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20)
        while (!fits()) {
            if (System.nanoTime() > until) throw AssertionError("waited for $what and heard $said")
            Thread.sleep(5)
        }
    }

    private fun threads() = Thread.getAllStackTraces().keys.count { it.name == "scan" && it.isAlive }

    @After
    fun `no thread is left behind`() {
        camera.close()
        await("the camera's thread to end") { threads() == 0 }
    }

    @Test
    fun `a phone whose only camera looks at the cashier has none to scan with`() {
        assertFalse(camera.exists)
        add("1", CameraMetadata.LENS_FACING_FRONT)
        assertFalse(camera.exists)
        camera.open(watcher)
        assertEquals(listOf("failed"), said)
        add("0", CameraMetadata.LENS_FACING_BACK)
        assertTrue(camera.exists)
    }

    @Test
    fun `the camera opens, and closed it says nothing more`() {
        add("0", CameraMetadata.LENS_FACING_BACK)
        camera.open(watcher)
        await("it to open") { said.isNotEmpty() }
        assertEquals(listOf("opened, light true"), said)
        camera.light(true)
        camera.close()
        await("its thread to end") { threads() == 0 }
        assertEquals(1, said.size)
    }

    @Test
    fun `one that is closed while it opens is closed all the same`() {
        add("0", CameraMetadata.LENS_FACING_BACK, light = false)
        repeat(20) {
            camera.open(watcher)
            camera.close()
        }
        await("the camera's threads to end") { threads() == 0 }
        assertFalse("failed" in said)
        camera.open(watcher)
        await("it to open again") { "opened, light false" in said }
    }

    @Test
    fun `a camera that is taken away is said`() {
        add("0", CameraMetadata.LENS_FACING_BACK)
        camera.open(watcher)
        await("it to open") { said.isNotEmpty() }
        cameras.triggerDisconnect()
        await("the word on it") { "failed" in said }
    }
}
