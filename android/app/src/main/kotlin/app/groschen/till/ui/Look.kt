package app.groschen.till.ui

import android.content.Context
import android.content.res.Configuration
import android.util.TypedValue
import java.util.Locale
import kotlin.math.roundToInt

/**
 * This context in the cashier's language and in the colours of day or night.
 *
 * Both are of who works here and of the light at the bar, not of the phone: so they come as resources of a context of their own, and
 * `res/values-de` and `res/values-night` are all that a screen has to know of them.
 */
fun Context.seenBy(language: Locale, night: Boolean): Context {
    val seen = Configuration(resources.configuration)
    seen.setLocale(language)
    val mode = if (night) Configuration.UI_MODE_NIGHT_YES else Configuration.UI_MODE_NIGHT_NO
    seen.uiMode = (seen.uiMode and Configuration.UI_MODE_NIGHT_MASK.inv()) or mode
    return createConfigurationContext(seen)
}

/** The language that words and figures are written in here. */
val Context.language: Locale
    get() = resources.configuration.locales[0]

/** A length in pixels. */
fun Context.dp(length: Float): Int =
    TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, length, resources.displayMetrics).roundToInt()

/** A length from `dimens.xml` in pixels. */
fun Context.size(dimen: Int): Int = resources.getDimensionPixelSize(dimen)
