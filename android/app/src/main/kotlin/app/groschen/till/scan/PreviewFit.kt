package app.groschen.till.scan

import kotlin.math.max

/**
 * How a camera's picture is put into a field so that it fills it, stands upright and is not squeezed: a scale across and down and a turn, all about the
 * field's middle.
 *
 * A `TextureView` turns the picture for a phone that is held upright and then squeezes it into the field, however that lies.
 */
data class PreviewFit(val across: Float, val down: Float, val degrees: Float) {
    companion object {
        /** For a field and a picture of these sizes; [sensor] and [display] are turned by so many degrees. */
        fun of(field: Area, picture: Area, sensor: Int, display: Int): PreviewFit {
            val upright = if (sensor % 180 == 0) picture else picture.turned()
            val shown = if (display % 180 == 0) upright else upright.turned()
            val scale = max(field.width.toFloat() / shown.width, field.height.toFloat() / shown.height)
            return PreviewFit(upright.width * scale / field.width, upright.height * scale / field.height, -display.toFloat())
        }
    }
}

/** A width and a height. */
data class Area(val width: Int, val height: Int) {
    fun turned() = Area(height, width)

    companion object {
        // A code of 60 modules that fills a third of the picture's height has four pixels a module; twice the size is read at half the rate.
        private const val WANTED = 1280 * 720

        /** The one to scan with, of those that a camera has. */
        fun forScanning(all: List<Area>): Area? {
            val enough = all.filter { it.width.toLong() * it.height <= WANTED }
            return enough.maxByOrNull { it.width.toLong() * it.height } ?: all.minByOrNull { it.width.toLong() * it.height }
        }
    }
}
