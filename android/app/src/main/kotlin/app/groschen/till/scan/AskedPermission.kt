package app.groschen.till.scan

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager

/** The permission of the camera, asked for by a window. */
class AskedPermission(private val activity: Activity) : CameraPermission {
    override val isGranted: Boolean get() = activity.checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    override fun ask() = activity.requestPermissions(arrayOf(Manifest.permission.CAMERA), CODE)

    /** What Android tells the window; goes to [scanner] if it is an answer to [ask]. One without an answer is a question that was never shown. */
    fun answer(scanner: Scanner, code: Int, answers: IntArray) {
        if (code != CODE || answers.isEmpty()) return
        scanner.answered(isGranted, activity.shouldShowRequestPermissionRationale(Manifest.permission.CAMERA))
    }

    private companion object {
        const val CODE = 1
    }
}
