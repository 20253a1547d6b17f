package app.groschen.till.ui

import android.os.Build
import android.text.Layout
import android.view.Gravity
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.TextView
import app.groschen.till.R

/** A text. */
fun Ui.label(text: CharSequence, type: Type = Type.BODY, colour: Int = R.color.ink): TextView =
    TextView(context).also { dress(it, text, type, colour) }

/** A text that is too important to be broken within a word. */
fun Ui.words(text: CharSequence, type: Type, colour: Int = R.color.ink): TextView = WordText(context).also { dress(it, text, type, colour) }

private fun Ui.dress(view: TextView, text: CharSequence, type: Type, colour: Int) = with(view) {
    type.on(this)
    setTextColor(colour(colour))
    // With large type a single word may be longer than the line.
    hyphenationFrequency = if (largeType) Layout.HYPHENATION_FREQUENCY_FULL else Layout.HYPHENATION_FREQUENCY_NORMAL
    this.text = text
}

/** The headline of a page, found by TalkBack as such. */
fun Ui.title(text: CharSequence): TextView = words(text, Type.TITLE).apply {
    // Since Android 9; before, it is read like any text.
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) isAccessibilityHeading = true
}

/** This text in the middle. */
fun <T : TextView> T.centred(): T = apply {
    gravity = Gravity.CENTER
    textAlignment = View.TEXT_ALIGNMENT_CENTER
}

/** How much a button wants to be pressed. */
enum class Weight { MAIN, PLAIN, GRAVE }

/** A button for a glove: never lower than 64 dp. */
fun Ui.button(text: CharSequence, weight: Weight = Weight.PLAIN, act: () -> Unit): Button = WordButton(context).apply {
    Type.CAPTION.on(this)
    this.text = text
    isAllCaps = false
    stateListAnimator = null
    minHeight = size(R.dimen.touch)
    minimumHeight = size(R.dimen.touch)
    minWidth = size(R.dimen.touch)
    minimumWidth = size(R.dimen.touch)
    padded(R.dimen.gap_small, R.dimen.gap)
    // A word that is too long for a narrow button breaks with a hyphen, never in the middle of nowhere.
    hyphenationFrequency = Layout.HYPHENATION_FREQUENCY_FULL
    background = when (weight) {
        Weight.MAIN -> touchable(R.color.accent, R.color.quiet, null)
        Weight.PLAIN -> touchable(R.color.sheet, R.color.tint, R.color.quiet)
        Weight.GRAVE -> touchable(R.color.sheet, R.color.tint, R.color.grave)
    }
    setTextColor(
        colour(
            when (weight) {
                Weight.MAIN -> R.color.on_accent
                Weight.PLAIN -> R.color.ink
                Weight.GRAVE -> R.color.grave
            },
        ),
    )
    setOnClickListener { act() }
}

/** What cannot be pressed now is dimmed with its reason in place, not hidden. */
fun <V : View> V.enabledWhen(enabled: Boolean): V = apply {
    isEnabled = enabled
    alpha = if (enabled) 1f else DIMMED
}

/** Dark enough to be read, light enough to be seen as off. */
private const val DIMMED = 0.6f

/** A field to type into, as high as a finger needs. */
fun Ui.field(name: String): EditText = EditText(context).apply {
    id = View.generateViewId()
    Type.CAPTION.on(this)
    setTextColor(colour(R.color.ink))
    setHintTextColor(colour(R.color.quiet))
    background = box(R.color.sheet, R.color.quiet)
    minHeight = size(R.dimen.touch)
    minimumHeight = size(R.dimen.touch)
    padded(R.dimen.gap_large, R.dimen.gap)
    hint = name
}
