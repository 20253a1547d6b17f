package app.groschen.till.ui

import android.annotation.SuppressLint
import android.content.Context
import android.text.TextPaint
import android.util.TypedValue
import android.view.View.MeasureSpec
import android.widget.Button
import android.widget.TextView
import kotlin.math.max

/** A text whose type becomes smaller before a word of it would be broken: on a narrow phone a smaller word is read sooner than half of a large one. */
@SuppressLint("AppCompatCustomView")
internal class WordText(context: Context) : TextView(context) {
    private val fit = WordFit(this)

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        fit.into(widthMeasureSpec)
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}

/** The same for the words on a button. */
@SuppressLint("AppCompatCustomView")
internal class WordButton(context: Context) : Button(context) {
    private val fit = WordFit(this)

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        fit.into(widthMeasureSpec)
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}

private class WordFit(private val view: TextView) {
    private val ruler = TextPaint()
    private var asked = 0f
    private var given = 0f

    fun into(widthSpec: Int) {
        if (view.textSize != given) asked = view.textSize
        val size = if (MeasureSpec.getMode(widthSpec) == MeasureSpec.UNSPECIFIED) asked else sizeIn(MeasureSpec.getSize(widthSpec))
        given = size
        if (size != view.textSize) view.setTextSize(TypedValue.COMPLEX_UNIT_PX, size)
    }

    private fun sizeIn(width: Int): Float {
        ruler.set(view.paint)
        val words = view.text.split(BETWEEN_WORDS)
        val room = width - view.compoundPaddingLeft - view.compoundPaddingRight
        val least = minOf(asked, Type.SMALL.pixels(view.context))
        var size = asked
        // Step by step: letters are set to whole pixels, and smaller ones are not narrower in proportion.
        while (size > least && words.maxOf { wide(it, size) } > room) size = max(least, size - STEP)
        return size
    }

    private fun wide(word: String, size: Float): Float {
        ruler.textSize = size
        return ruler.measureText(word)
    }

    private companion object {
        /** Where a line may end: at a space that may break, and after a hyphen. */
        val BETWEEN_WORDS = Regex("\\s|(?<=-)")
        const val STEP = 0.5f
    }
}
