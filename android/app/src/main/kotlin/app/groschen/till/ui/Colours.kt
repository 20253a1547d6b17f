package app.groschen.till.ui

import app.groschen.till.R

/** A ground with what is written on it, and the shape that goes with it: a result is never told by its colour alone. */
enum class Colours(val ground: Int, val ink: Int, val shape: Shape) {
    /** Booked. */
    GOOD(R.color.good, R.color.on_good, Shape.TICK),

    /** Refused. */
    BAD(R.color.bad, R.color.on_bad, Shape.OCTAGON),

    /** Hold it again, or hold another one. */
    AGAIN(R.color.again, R.color.on_again, Shape.ARCS),

    /** Something to know; nothing happened. */
    INFO(R.color.info, R.color.on_info, Shape.SQUARE),
}
