package app.groschen.till.screens

import app.groschen.till.GroschenRunner
import app.groschen.till.goldens.Look
import app.groschen.till.goldens.Pixels
import app.groschen.till.ui.PhoneSide
import app.groschen.view.Language
import app.groschen.view.Theme
import app.groschen.view.View
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/**
 * Every screen in both languages, by day and night, at plain and double size of type; of their further states two of these, because a state
 * changes words and figures and not how a screen is built.
 */
@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class ScreensTest {
    @Test
    fun `every screen looks as agreed in both languages, by day and night, and with large letters`() = draw(Views.screens, Look.all)

    @Test
    fun `every state of a screen looks as agreed`() = draw(Views.states, listOf(Look("de"), Look("en", night = true, fontScale = 2f)))

    /** One window for all of a look, as on a phone: what one page leaves behind would show on the next. */
    private fun draw(views: Map<String, View>, looks: List<Look>) {
        for (look in looks) {
            look.apply()
            val till = TillView(RuntimeEnvironment.getApplication(), PhoneSide(picture = ::StandIn)) {}
            for ((name, view) in views) {
                till.show(view.seenAs(look), Views.beside(name))
                Pixels.shoot(till, name, look)
            }
        }
    }
}

/** The same view for a cashier who sees it in another language or light. */
fun View.seenAs(look: Look): View = copy(
    frame = frame.copy(
        language = if (look.language == "de") Language.GERMAN else Language.ENGLISH,
        theme = if (look.night) Theme.NIGHT else Theme.DAY,
    ),
)
