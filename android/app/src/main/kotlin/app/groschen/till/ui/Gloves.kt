package app.groschen.till.ui

import android.view.MotionEvent

/**
 * Tells a finger from what is none: a drop of rain or a sleeve touches for less than 40 ms, a palm with more than one point.
 *
 * What is no finger presses nothing; nobody is told, because nobody meant anything. Screen readers and keys do not come through here.
 */
class Gloves {
    private var palm = false

    /** Whether this event ends a touch that is to be ignored. */
    fun ignores(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> palm = false
            MotionEvent.ACTION_POINTER_DOWN -> palm = true
        }
        return event.actionMasked == MotionEvent.ACTION_UP && (palm || event.eventTime - event.downTime < SHORTEST_MS)
    }

    private companion object {
        const val SHORTEST_MS = 40L
    }
}
