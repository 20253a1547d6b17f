package app.groschen.till.screens

import app.groschen.till.GroschenRunner
import app.groschen.till.goldens.Look
import app.groschen.till.goldens.Pixels
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/**
 * A figure, never judged: how long the shell takes from its first class to a drawn sale screen, on this machine and a Java machine that has just begun. Its
 * name keeps it out of the tests; `android_test -Dtest=StartReport` runs it. A phone's runtime has compiled the classes before, and draws with its GPU.
 */
@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class StartReport {
    @Test
    fun `from the first class of the shell to the sale screen`() {
        Look("de").apply()
        val app = RuntimeEnvironment.getApplication()
        val sale = Views.screens.getValue("sale-cart")
        for (which in listOf("cold", "warm")) {
            val before = System.nanoTime()
            val till = TillView(app) {}
            till.show(sale)
            Pixels.draw(till).recycle()
            println("speed: start, $which: ${(System.nanoTime() - before) / 1_000_000} ms to the drawn sale screen")
        }
    }
}
