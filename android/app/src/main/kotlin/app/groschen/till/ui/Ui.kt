package app.groschen.till.ui

import android.content.Context
import app.groschen.view.Touch

/**
 * What every screen draws with: a context that speaks the cashier's language in the colours of day or night, figures of the event's zone,
 * and where touches and wishes go. A screen decides nothing: it words what the view says and passes touches on.
 */
class Ui(val context: Context, zone: String, val phone: PhoneSide = PhoneSide(), val touch: (Touch) -> Unit) {
    /** Amounts, counts and times. */
    val figures = Figures(context.language, zone)

    /** Whether type is so large that pages are laid out in one column. */
    val largeType: Boolean
        get() = context.resources.configuration.fontScale >= LARGE_TYPE

    /** A sentence with what belongs into it. */
    fun text(id: Int, vararg with: Any): String = context.getString(id, *with)

    /** A sentence that counts; the count itself is its first part unless others are given. */
    fun counted(id: Int, count: Int, vararg with: Any): String {
        val parts = if (with.isEmpty()) arrayOf<Any>(figures.count(count.toLong())) else with
        return context.resources.getQuantityString(id, count, *parts)
    }

    /** A colour. */
    fun colour(id: Int): Int = context.getColor(id)

    /** A size in pixels. */
    fun size(id: Int): Int = context.size(id)

    private companion object {
        const val LARGE_TYPE = 1.25f
    }
}
