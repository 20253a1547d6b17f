package app.groschen.till.words

import app.groschen.till.R
import app.groschen.till.ui.Ui

/** What is so, and what a person does now. */
data class Said(val what: String, val now: String)

/** Both from resources, the first with what belongs into it. */
internal fun Ui.said(what: Int, now: Int, vararg with: Any): Said = Said(text(what, *with), text(now))

/** How long, in the largest unit that is full: `3 s`, `4 min`, `2 Std.`, `3 Tage`. */
internal fun Ui.duration(ms: Long): String {
    val seconds = ms / 1_000
    val (number, unit) = when {
        seconds < 60 -> seconds to R.string.seconds
        seconds < 3_600 -> seconds / 60 to R.string.minutes
        seconds < 172_800 -> seconds / 3_600 to R.string.hours
        else -> seconds / 86_400 to R.string.days
    }
    return text(unit, figures.count(number))
}
