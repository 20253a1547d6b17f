package app.groschen.till.goldens

import org.robolectric.RuntimeEnvironment

/** How a phone is set: its language, its theme and the size of its letters. */
data class Look(val language: String = "de", val night: Boolean = false, val fontScale: Float = 1f) {
    /** `de-night-200`: the end of a golden's name. */
    val label: String = "$language-${if (night) "night" else "day"}-${(fontScale * 100).toInt()}"

    /** Sets the phone of the running test: what is built from now on looks so. */
    fun apply() {
        val theme = if (night) "night" else "notnight"
        RuntimeEnvironment.setQualifiers("$language-$SIZE-$theme-$DENSITY")
        RuntimeEnvironment.setFontScale(fontScale)
    }

    companion object {
        // A middle-sized phone. One pixel for each dp: still readable, and a third of the bytes of a phone's true density.
        private const val SIZE = "w411dp-h731dp"
        private const val DENSITY = "mdpi"

        /** What every screen must stand. */
        val all: List<Look> = listOf("de", "en").flatMap { language ->
            listOf(false, true).flatMap { night -> listOf(Look(language, night, 1f), Look(language, night, 2f)) }
        }
    }
}
