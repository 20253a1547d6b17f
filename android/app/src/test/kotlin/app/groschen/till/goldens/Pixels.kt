package app.groschen.till.goldens

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.view.View
import android.view.View.MeasureSpec
import org.robolectric.shadows.ShadowLooper
import java.io.File

/**
 * Draws what a cashier sees, with Android's own views and letters, and compares it with the golden picture of the same name.
 *
 * `-Dgoldens=write` draws the goldens anew; a person looks at them before they are committed.
 */
object Pixels {
    private val goldens = File(property("goldens.folder"))
    private val shots = File(property("goldens.shots"))
    private val writes = property("goldens") == "write"

    /** Draws the whole window. */
    fun shoot(activity: Activity, name: String, look: Look) = shoot(activity.window.decorView, name, look)

    /** Draws a view on a phone's whole screen. */
    fun shoot(view: View, name: String, look: Look) {
        val bitmap = draw(view)
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        check(Picture(bitmap.width, bitmap.height, pixels), "$name-${look.label}")
        bitmap.recycle()
    }

    /** Draws a view and compares it with nothing. */
    fun draw(view: View): Bitmap {
        ShadowLooper.idleMainLooper()
        val screen = view.resources.displayMetrics
        view.measure(
            MeasureSpec.makeMeasureSpec(screen.widthPixels, MeasureSpec.EXACTLY),
            MeasureSpec.makeMeasureSpec(screen.heightPixels, MeasureSpec.EXACTLY),
        )
        view.layout(0, 0, screen.widthPixels, screen.heightPixels)
        val bitmap = Bitmap.createBitmap(screen.widthPixels, screen.heightPixels, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(bitmap))
        return bitmap
    }

    private fun check(shot: Picture, name: String) {
        val file = File(goldens, "$name.png")
        if (writes) return shot.write(file)

        val drawn = File(shots, "$name.png")
        if (!file.exists()) {
            shot.write(drawn)
            throw AssertionError("There is no golden $file. Look at $drawn, then draw it with -Dgoldens=write.")
        }
        val golden = Picture.read(file)
        if (golden.width != shot.width || golden.height != shot.height) {
            shot.write(drawn)
            throw AssertionError("$name is ${shot.width} x ${shot.height}, its golden ${golden.width} x ${golden.height}. Drawn: $drawn")
        }
        val places = shot.differences(golden)
        if (places.isNotEmpty()) {
            val marked = File(shots, "$name.marked.png")
            shot.write(drawn)
            shot.marked(places).write(marked)
            val at = places.first()
            throw AssertionError(
                "$name differs from its golden in ${places.size} pixels, first at ${at % shot.width}, ${at / shot.width}.\n" +
                    "golden $file\ndrawn  $drawn\nmarked $marked\nIf this is how it shall look: -Dgoldens=write.",
            )
        }
    }

    private fun property(name: String): String =
        checkNotNull(System.getProperty(name)) { "pictures are drawn by android_test of scripts/lib/android.sh, which sets $name" }
}
