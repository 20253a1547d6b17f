package app.groschen.till

import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import app.groschen.till.keys.FakeAndroidKeyStore
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowLooper
import java.util.concurrent.TimeUnit

/** The whole shell on the real core of this machine, as tests begin, look at, press and end it. */
internal class Shell {
    val app = RuntimeEnvironment.getApplication() as TillApplication

    /** A phone with NFC and a Keystore; its core opens. */
    fun begin() {
        shadowOf(app.packageManager).setSystemFeature(PackageManager.FEATURE_NFC, true)
        FakeAndroidKeyStore.install()
        app.open()
    }

    fun start(intent: Intent = Intent(Intent.ACTION_MAIN)) =
        checkNotNull(Robolectric.buildActivity(TillActivity::class.java, intent)).setup().visible()

    fun end() {
        var ended = false
        app.whenOpen { core, _ ->
            core?.end()
            ended = true
        }
        await("the core's end") { ended }
        FakeAndroidKeyStore.remove()
    }
}

/** Waits while the screen's thread goes on; in vain it says what is [seen]. */
internal fun await(what: String, seen: () -> List<String> = ::emptyList, fits: () -> Boolean) {
    val until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30)
    while (!fits()) {
        if (System.nanoTime() > until) throw AssertionError("waited for $what and saw ${seen()}")
        ShadowLooper.idleMainLooper()
        Thread.sleep(5)
    }
}

internal fun Activity.all(): List<View> = all(window.decorView)

private fun all(view: View): List<View> =
    listOf(view) + ((view as? ViewGroup)?.let { group -> (0 until group.childCount).flatMap { all(group.getChildAt(it)) } } ?: emptyList())

internal fun Activity.texts() = all().filterIsInstance<TextView>().filter { it.isShown }.map { it.text.toString() }

internal fun Activity.says(id: Int) = texts().any { getString(id) in it }

/** Waits until a text of the resources is to be seen. */
internal fun Activity.await(id: Int) = await(getString(id), { texts() }) { says(id) }

internal fun Activity.press(id: Int) {
    all().first { it.isShown && it.isClickable && (it as? TextView)?.text?.toString() == getString(id) }.performClick()
    ShadowLooper.idleMainLooper()
}
