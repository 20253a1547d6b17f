package app.groschen.till.ui

import android.content.Context
import android.graphics.Typeface
import android.util.TypedValue
import android.widget.TextView

/**
 * The sizes of type. Arm's length, sun and dark ask for large ones; nothing is smaller than [SMALL], and nothing is grey on grey.
 *
 * With the phone's font scale small type grows fully and large type less, as Android does by itself since version 14: a total of 56 sp is
 * read well as it is, and at 200 % it would no longer fit beside anything.
 */
enum class Type(private val sp: Float, private val family: String, private val style: Int) {
    /** The total of a cart and what was paid. */
    TOTAL(56f, SANS, Typeface.BOLD),

    /** What a guest reads from the other side of the counter. */
    GUEST(80f, SANS, Typeface.BOLD),

    /** A figure that is read out to a guest. */
    NUMBER(40f, SANS, Typeface.BOLD),

    /** What has happened. */
    HEADLINE(32f, SANS, Typeface.BOLD),

    /** What a page is about. */
    TITLE(24f, SANS, Typeface.BOLD),

    /** The name on a tile or button. */
    CAPTION(20f, MEDIUM, Typeface.NORMAL),

    /** A sentence. */
    BODY(18f, SANS, Typeface.NORMAL),

    /** What is read at leisure only. */
    SMALL(16f, SANS, Typeface.NORMAL),
    ;

    /** The height of this type in pixels at the font scale of a context. */
    fun pixels(context: Context): Float {
        val scale = context.resources.configuration.fontScale
        val plain = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, sp, context.resources.displayMetrics)
        return plain * grown(scale)
    }

    /** Dresses a text. */
    fun on(text: TextView) {
        text.setTextSize(TypedValue.COMPLEX_UNIT_PX, pixels(text.context))
        text.typeface = Typeface.create(family, style)
    }

    /** How much of the font scale reaches this size: all of it up to [SMALL_SP], a quarter from [LARGE_SP] on. */
    private fun grown(scale: Float): Float {
        if (scale <= 1f) return scale
        val place = ((sp - SMALL_SP) / (LARGE_SP - SMALL_SP)).coerceIn(0f, 1f)
        val share = 1f - place * (1f - LARGE_SHARE)
        return 1f + (scale - 1f) * share
    }

    private companion object {
        const val SMALL_SP = 18f
        const val LARGE_SP = 56f
        const val LARGE_SHARE = 0.25f
    }
}

private const val SANS = "sans-serif"
private const val MEDIUM = "sans-serif-medium"
