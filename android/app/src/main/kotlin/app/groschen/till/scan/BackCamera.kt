package app.groschen.till.scan

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.Matrix
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.hardware.camera2.CaptureRequest
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.view.Surface
import android.view.TextureView
import android.view.View

/**
 * The phone's camera by Android's own `camera2`. One thread for each time it is open: it gets the pictures, reads them and is gone when the camera is.
 *
 * Pictures wait for nobody: while one is read the next ones overwrite each other, and the newest is read then. None is kept, and none leaves this class.
 */
class BackCamera(private val context: Context) : ScanCamera {
    private val cameras = checkNotNull(context.getSystemService(CameraManager::class.java))
    private var open: Opened? = null
    private var shown: Picture? = null

    override val exists: Boolean get() = find() != null

    override fun open(watcher: ScanCamera.Watcher) {
        close()
        val found = find() ?: return watcher.failed()
        open = Opened(cameras, found, watcher).also { opened ->
            opened.show(shown?.texture)
            opened.start()
        }
        shown?.fit()
    }

    override fun light(on: Boolean) {
        open?.light(on)
    }

    override fun close() {
        open?.close()
        open = null
    }

    override fun picture(context: Context): View = Picture(context).also { shown = it }

    private fun find(): Found? = try {
        cameras.cameraIdList.firstNotNullOfOrNull { id -> found(id) }
    } catch (_: CameraAccessException) {
        null
    }

    private fun found(id: String): Found? {
        val traits = cameras.getCameraCharacteristics(id)
        if (traits.get(CameraCharacteristics.LENS_FACING) != CameraMetadata.LENS_FACING_BACK) return null
        val sizes = traits.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
        return Found(
            id,
            Area.forScanning(sizes.map { Area(it.width, it.height) }) ?: return null,
            traits.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0,
            traits.get(CameraCharacteristics.FLASH_INFO_AVAILABLE) == true,
            CameraMetadata.CONTROL_AF_MODE_CONTINUOUS_PICTURE in (traits.get(CameraCharacteristics.CONTROL_AF_AVAILABLE_MODES) ?: IntArray(0)),
        )
    }

    /** Shows what the camera sees, wherever on the screen it is put. */
    @SuppressLint("ViewConstructor")
    private inner class Picture(context: Context) : TextureView(context), TextureView.SurfaceTextureListener {
        var texture: SurfaceTexture? = null
            private set

        init {
            surfaceTextureListener = this
            importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
        }

        override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) {
            texture = surface
            if (shown !== this) return
            open?.show(surface)
            fit()
        }

        override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) = fit()

        override fun onSurfaceTextureDestroyed(surface: SurfaceTexture): Boolean {
            texture = null
            // Whoever draws into it must have let go of it first. True: Android throws it away now.
            return open?.leave(surface) != true
        }

        override fun onSurfaceTextureUpdated(surface: SurfaceTexture) = Unit

        fun fit() {
            val found = open?.found ?: return
            if (width == 0 || height == 0) return
            val turned = QUARTER * (display?.rotation ?: Surface.ROTATION_0)
            val fit = PreviewFit.of(Area(width, height), found.size, found.sensor, turned)
            val (x, y) = width / 2f to height / 2f
            setTransform(
                Matrix().apply {
                    setScale(fit.across, fit.down, x, y)
                    postRotate(fit.degrees, x, y)
                },
            )
        }
    }

    private class Found(val id: String, val size: Area, val sensor: Int, val hasLight: Boolean, val focuses: Boolean)

    /** A camera that is open or opening; all but its making happens on its own thread. */
    private class Opened(private val cameras: CameraManager, val found: Found, private val watcher: ScanCamera.Watcher) {
        private val thread = HandlerThread("scan").apply { start() }
        private val handler = Handler(thread.looper)
        private val reader = ImageReader.newInstance(found.size.width, found.size.height, ImageFormat.YUV_420_888, PICTURES)
        private var device: CameraDevice? = null
        private var session: CameraCaptureSession? = null
        private var texture: SurfaceTexture? = null
        private var screen: Surface? = null
        private var light = false
        private var isOpening = false
        private var isClosed = false
        private var bytes = ByteArray(0)

        fun start() {
            reader.setOnImageAvailableListener({ on(::newest) }, handler)
            on(::openDevice)
        }

        fun show(next: SurfaceTexture?) = on { put(next) }

        /** False if nobody can let go of it any more. */
        fun leave(gone: SurfaceTexture): Boolean = handler.post {
            // A page that is built anew, in another language or light, may have put its own in this one's place already.
            if (gone === texture) guarded { put(null) }
            gone.release()
        }

        fun light(isOn: Boolean) = on {
            light = isOn
            session?.let(::look)
        }

        fun close() {
            handler.post {
                end()
                // One that is still opening tells this thread when it is, and is closed then.
                if (!isOpening) thread.quitSafely()
            }
        }

        private fun on(what: () -> Unit) {
            handler.post { guarded(what) }
        }

        private fun guarded(what: () -> Unit) {
            if (isClosed) return
            try {
                what()
            } catch (_: CameraAccessException) {
                fail()
            } catch (_: IllegalStateException) {
                // It was closed from outside between two of our steps.
                fail()
            } catch (_: IllegalArgumentException) {
                // A screen that went away is no place for a picture; the next one begins a session of its own.
                session = null
            } catch (_: SecurityException) {
                // The permission was taken back, or the phone's owner bars cameras.
                fail()
            }
        }

        @SuppressLint("MissingPermission") // Whoever opens has it, and it may be taken back at any moment.
        private fun openDevice() {
            cameras.openCamera(
                found.id,
                object : CameraDevice.StateCallback() {
                    override fun onOpened(opened: CameraDevice) {
                        isOpening = false
                        if (isClosed) return late(opened)
                        device = opened
                        watcher.opened(found.hasLight)
                        guarded(::beginSession)
                    }

                    override fun onDisconnected(lost: CameraDevice) = gone(lost)

                    override fun onError(broken: CameraDevice, error: Int) = gone(broken)
                },
                handler,
            )
            isOpening = true
        }

        private fun gone(camera: CameraDevice) {
            isOpening = false
            if (isClosed) return late(camera)
            device = camera
            fail()
        }

        private fun late(camera: CameraDevice) {
            camera.close()
            thread.quitSafely()
        }

        private fun put(next: SurfaceTexture?) {
            screen?.release()
            next?.setDefaultBufferSize(found.size.width, found.size.height)
            texture = next
            screen = next?.let(::Surface)
            beginSession()
        }

        private fun fail() {
            end()
            watcher.failed()
        }

        private fun end() {
            isClosed = true
            session = null
            device?.close()
            device = null
            reader.close()
            screen?.release()
            screen = null
        }

        // Also without a screen: a code is read whether its picture is to be seen yet or not.
        @Suppress("DEPRECATION") // Its successor needs Android 9.
        private fun beginSession() {
            val camera = device ?: return
            session = null
            camera.createCaptureSession(
                listOfNotNull(reader.surface, screen),
                object : CameraCaptureSession.StateCallback() {
                    override fun onConfigured(begun: CameraCaptureSession) = guarded {
                        session = begun
                        look(begun)
                    }

                    override fun onConfigureFailed(failed: CameraCaptureSession) = guarded(::fail)
                },
                handler,
            )
        }

        private fun look(session: CameraCaptureSession) {
            val request = session.device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
            request.addTarget(reader.surface)
            screen?.let(request::addTarget)
            if (found.focuses) request.set(CaptureRequest.CONTROL_AF_MODE, CameraMetadata.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
            request.set(CaptureRequest.FLASH_MODE, if (light) CameraMetadata.FLASH_MODE_TORCH else CameraMetadata.FLASH_MODE_OFF)
            session.setRepeatingRequest(request.build(), null, handler)
        }

        private fun newest() {
            val image: Image = reader.acquireLatestImage() ?: return
            val text = image.use { QrReader.read(brightness(it)) }
            if (text != null) watcher.read(text)
        }

        private fun brightness(image: Image): Luminance {
            val plane = image.planes[0]
            val size = plane.buffer.remaining()
            if (bytes.size != size) bytes = ByteArray(size)
            plane.buffer.get(bytes)
            return Luminance(bytes, image.width, image.height, plane.rowStride)
        }
    }

    private companion object {
        /** One that is read and one that is being taken. */
        const val PICTURES = 2
        const val QUARTER = 90
    }
}
