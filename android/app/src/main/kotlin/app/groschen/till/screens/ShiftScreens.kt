package app.groschen.till.screens

import android.view.View
import app.groschen.till.R
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Shape
import app.groschen.till.ui.ShapeView
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.button
import app.groschen.till.ui.column
import app.groschen.till.ui.enabledWhen
import app.groschen.till.ui.facts
import app.groschen.till.ui.label
import app.groschen.till.ui.line
import app.groschen.till.ui.note
import app.groschen.till.ui.page
import app.groschen.till.ui.row
import app.groschen.till.ui.stepper
import app.groschen.till.ui.stretched
import app.groschen.till.ui.title
import app.groschen.till.ui.touchable
import app.groschen.till.words.exercise
import app.groschen.view.DrawerCount
import app.groschen.view.Exercise
import app.groschen.view.Place
import app.groschen.view.ShiftEndPage
import app.groschen.view.Touch
import app.groschen.view.TrainingPage

/** The shift ends: not before everything is sent and the drawer is counted, and with a way out when the network stays away. */
class ShiftEndScreen(private val ui: Ui) : Screen<ShiftEndPage> {
    private val guard = Slot(ui.context)
    private val summary = Slot(ui.context)
    private val drawer = Slot(ui.context)
    private val end = Slot(ui.context)
    override val root: View = ui.page(
        ui.column(ui.title(ui.text(R.string.shift_end_title)), guard, drawer, summary, gap = R.dimen.gap_large),
        end,
    )

    override fun show(page: ShiftEndPage) {
        guard.show(page.unsent to page.unsentTotal) { (unsent, total) ->
            if (unsent == 0) null else ui.note(
                Colours.AGAIN,
                ui.counted(R.plurals.refusal_unsent, unsent),
                ui.text(R.string.refusal_unsent_now, ui.figures.euros(total)),
            )
        }
        drawer.show(page.drawer) { it?.let(::count) }
        summary.show(page.copy(drawer = null)) { ui.facts(figures(it)) }
        end.show(listOf(page.ready, page.unsent > 0, page.drawer != null, page.foreign)) { (ready, unsent, counting, foreign) ->
            ui.column(
                if (foreign) ui.button(ui.text(R.string.foreign_hand_in_title)) { ui.touch(Touch.Open(Place.HAND_IN)) } else null,
                if (counting) ui.label(ui.text(R.string.shift_end_drawer_first)) else null,
                ui.button(ui.text(R.string.shift_end_go), Weight.MAIN) { ui.touch(Touch.EndShift) }.enabledWhen(ready),
                if (unsent) ui.button(ui.text(R.string.shift_leave_open)) { ui.touch(Touch.LeaveShiftOpen) } else null,
            )
        }
    }

    private fun count(drawer: DrawerCount): View = ui.column(
        ui.label(ui.text(R.string.drawer_count_title), Type.TITLE),
        ui.label(ui.text(R.string.drawer_count_hint)),
        *drawer.pieces.map { pieces ->
            ui.stepper(ui.figures.piece(pieces.worth), pieces.count) { ui.touch(Touch.Count(pieces.worth, it)) }
        }.toTypedArray(),
        ui.label(ui.text(R.string.drawer_counted, ui.figures.euros(drawer.counted)), Type.TITLE),
        ui.button(ui.text(R.string.drawer_count_go)) { ui.touch(Touch.CloseDrawer) },
        ui.line(),
    )

    private fun figures(page: ShiftEndPage): List<Pair<String, String>> = listOfNotNull(
        page.sinceMs?.let { ui.text(R.string.shift_since) to ui.figures.minute(it) },
        counted(R.string.shift_sales, page.sales, page.salesTotal),
        counted(R.string.shift_cancelled, page.cancelled, page.cancelledTotal),
        counted(R.string.shift_top_ups, page.topUps, page.toppedUp),
        counted(R.string.shift_pay_outs, page.payOuts, page.paidOut),
        ui.text(R.string.shift_cups_out) to ui.figures.count(page.cupsOut.toLong()),
        ui.text(R.string.shift_cups_back) to ui.figures.count(page.cupsBack.toLong()),
        ui.text(R.string.shift_vouchers) to ui.figures.count(page.vouchers.toLong()),
    )

    private fun counted(what: Int, count: Int, total: Long): Pair<String, String> =
        ui.text(what) to ui.text(R.string.two_parts, ui.figures.count(count.toLong()), ui.figures.euros(total))
}

/** Exercises: the same screens as in earnest, with wristbands that are simulated. */
class TrainingScreen(private val ui: Ui) : Screen<TrainingPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: TrainingPage) = slot.show(page) {
        val tasks = if (page.running) page.tasks.map { task(it) } else emptyList()
        val foot = if (page.running) {
            ui.column(
                ui.button(ui.text(R.string.training_hold), Weight.MAIN) { ui.touch(Touch.HoldSimulated) },
                ui.button(ui.text(R.string.training_end)) { ui.touch(Touch.EndTraining) },
            )
        } else {
            ui.button(ui.text(R.string.training_begin), Weight.MAIN) { ui.touch(Touch.BeginTraining) }
        }
        ui.page(
            ui.column(ui.title(ui.text(R.string.training_title)), ui.label(ui.text(R.string.training_hint), Type.CAPTION), *tasks.toTypedArray()),
            foot,
        )
    }

    private fun task(task: Exercise): View {
        val (shape, ink, state) = when {
            task.done -> Triple(Shape.TICK, R.color.good_text, R.string.exercise_done)
            task.current -> Triple(Shape.ARCS, R.color.training, R.string.exercise_current)
            else -> Triple(Shape.SQUARE, R.color.quiet, R.string.exercise_open)
        }
        val words = ui.column(
            ui.label(ui.exercise(task.kind), Type.CAPTION),
            ui.label(ui.text(state), Type.SMALL),
            gap = R.dimen.gap_small,
        )
        return ui.row(ShapeView(ui.context, shape, ui.colour(ink), ui.size(R.dimen.sign)), words.stretched(), gap = R.dimen.gap_large).apply {
            background = ui.touchable(R.color.sheet, R.color.tint, if (task.current) R.color.training else R.color.line)
            minimumHeight = ui.size(R.dimen.touch)
            val room = ui.size(R.dimen.gap)
            setPadding(room, room, room, room)
            isFocusable = true
            contentDescription = ui.text(R.string.two_parts, ui.exercise(task.kind), ui.text(state))
            setOnClickListener { ui.touch(Touch.Exercise(task.kind)) }
        }
    }
}

/** Picture cards: what each colour and shape asks for, in two lines. */
class GuideScreen(private val ui: Ui) : Screen<Unit> {
    override val root: View = ui.page(
        ui.column(
            ui.title(ui.text(R.string.guide_title)),
            card(Colours.GOOD, R.string.guide_sell, R.string.guide_sell_1, R.string.guide_sell_2, R.string.guide_sell_3),
            card(Colours.BAD, R.string.guide_refused, R.string.guide_refused_1, R.string.guide_refused_2),
            card(Colours.AGAIN, R.string.guide_again, R.string.guide_again_1, R.string.guide_again_2),
            card(Colours.INFO, R.string.guide_undo, R.string.guide_undo_1, R.string.guide_undo_2),
            card(Colours.AGAIN, R.string.guide_offline, R.string.guide_offline_1, R.string.guide_offline_2),
            gap = R.dimen.gap_large,
        ),
    )

    private fun card(colours: Colours, title: Int, vararg steps: Int): View = ui.note(
        colours,
        ui.text(title),
        steps.mapIndexed { place, step -> "${ui.figures.count(place + 1L)}. ${ui.text(step)}" }.joinToString("\n"),
    )

    override fun show(page: Unit) = Unit
}
