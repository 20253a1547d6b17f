package app.groschen.till.ui

import android.content.Context
import android.graphics.Canvas
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.Path
import android.view.View

/**
 * What a result looks like without its colour: one shape each, so that sun, night and colour-blind eyes can tell them apart. They are drawn
 * on a field of 48 by 48 and are those of the laptop till.
 */
enum class Shape {
    /** Booked: a tick in a circle. */
    TICK {
        override fun trace(path: Path) {
            path.addCircle(24f, 24f, 20f, Path.Direction.CW)
            path.moveTo(14f, 25f)
            path.lineTo(21f, 32f)
            path.lineTo(34f, 17f)
        }
    },

    /** Refused: an octagon with a bar. */
    OCTAGON {
        override fun trace(path: Path) {
            path.moveTo(16f, 4f)
            path.lineTo(32f, 4f)
            path.lineTo(44f, 16f)
            path.lineTo(44f, 32f)
            path.lineTo(32f, 44f)
            path.lineTo(16f, 44f)
            path.lineTo(4f, 32f)
            path.lineTo(4f, 16f)
            path.close()
            path.moveTo(14f, 24f)
            path.lineTo(34f, 24f)
        }
    },

    /** Hold it again: two arcs, as of something near. */
    ARCS {
        override fun trace(path: Path) {
            path.addArc(5f, 14f, 43f, 52f, 180f, 180f)
            path.addArc(14f, 25f, 34f, 45f, 180f, 180f)
            path.dot(24f, 38f)
        }
    },

    /** Nothing happened, but something is to be said: a square with an i. */
    SQUARE {
        override fun trace(path: Path) {
            path.addRect(6f, 6f, 42f, 42f, Path.Direction.CW)
            path.moveTo(24f, 22f)
            path.lineTo(24f, 34f)
            path.dot(24f, 14f)
        }
    },
    ;

    /** Draws its lines. */
    internal abstract fun trace(path: Path)

    /** As large as the pen. */
    protected fun Path.dot(x: Float, y: Float) {
        moveTo(x, y)
        lineTo(x, y + 0.01f)
    }
}

/** A [Shape] in one colour. It says nothing to TalkBack: the words beside it do. */
class ShapeView(context: Context, shape: Shape, colour: Int, private val side: Int) : View(context) {
    private val lines = Path().also(shape::trace)
    private val pen = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
        color = colour
        strokeWidth = PEN
    }

    init {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
        val scaled = Matrix().apply { setScale(side / FIELD, side / FIELD) }
        lines.transform(scaled)
        pen.strokeWidth = PEN * side / FIELD
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) = setMeasuredDimension(side, side)

    override fun onDraw(canvas: Canvas) = canvas.drawPath(lines, pen)

    private companion object {
        const val FIELD = 48f
        const val PEN = 5f
    }
}
