package app.groschen.till.screens

import android.text.InputType
import android.view.Gravity
import android.view.View
import android.widget.EditText
import app.groschen.till.R
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Flow
import app.groschen.till.ui.Keypad
import app.groschen.till.ui.Shape
import app.groschen.till.ui.ShapeView
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.scan.wantsCode
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.Wish
import app.groschen.till.ui.button
import app.groschen.till.ui.centred
import app.groschen.till.ui.column
import app.groschen.till.ui.enabledWhen
import app.groschen.till.ui.field
import app.groschen.till.ui.label
import app.groschen.till.ui.note
import app.groschen.till.ui.page
import app.groschen.till.ui.row
import app.groschen.till.ui.stretched
import app.groschen.till.ui.title
import app.groschen.till.words.check
import app.groschen.till.words.noScan
import app.groschen.till.words.state
import app.groschen.view.Broken
import app.groschen.view.CheckState
import app.groschen.view.LoginPage
import app.groschen.view.Page
import app.groschen.view.PinPad
import app.groschen.view.RegisterPage
import app.groschen.view.Registering
import app.groschen.view.ShiftCheckPage
import app.groschen.view.Touch
import app.groschen.view.Waiting

/** The queue is being opened. */
class StartScreen(ui: Ui) : Screen<Unit> {
    override val root: View = ui.page(
        ui.column(
            ui.label(ui.text(R.string.app_name), Type.TOTAL).centred(),
            ui.label(ui.text(R.string.starting), Type.TITLE).centred(),
        ).apply { gravity = Gravity.CENTER },
    )

    override fun show(page: Unit) = Unit
}

/** The device becomes a terminal: a code is scanned, typed or pasted here, or comes as a link from another app. */
class RegisterScreen(private val ui: Ui) : Screen<Aided<RegisterPage>> {
    private val code: EditText = ui.field(ui.text(R.string.register_example)).apply {
        inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_MULTI_LINE or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS
        minLines = 3
        gravity = Gravity.TOP
    }
    private val state = Slot(ui.context)
    private val scan = Slot(ui.context)
    private val entry = ui.column(
        ui.button(ui.text(R.string.scan_code), Weight.MAIN) { ui.phone.wish(Wish.BeginScan) },
        scan,
        ui.label(ui.text(R.string.register_scan_hint)),
        ui.label(ui.text(R.string.register_code), Type.CAPTION).apply { labelFor = code.id },
        code,
        ui.label(ui.text(R.string.register_hint)),
        ui.button(ui.text(R.string.register_go)) { ui.touch(Touch.Scanned(code.text.toString())) },
    )

    override val root: View = ui.page(ui.column(ui.title(ui.text(R.string.register_title)), state, entry, gap = R.dimen.gap_large))

    override fun show(page: Aided<RegisterPage>) {
        scan.show(page.beside.scan) { scan -> ui.noScan(scan, R.string.scan_instead_paste)?.let { ui.note(Colours.INFO, it.what, it.now) } }
        show(page.page)
    }

    private fun show(page: RegisterPage) {
        entry.visibility = if (page.wantsCode) View.VISIBLE else View.GONE
        state.show(page) { draw(it) }
    }

    private fun draw(page: RegisterPage): View? {
        val server = page.server?.let { ui.label(ui.text(R.string.register_server, it)) }
        return when (val state = page.state) {
            Registering.Scan -> null
            Registering.NotACode -> ui.note(Colours.BAD, ui.text(R.string.register_no_code))
            Registering.Asking -> ui.column(ui.label(ui.text(R.string.register_asking), Type.CAPTION), server)
            is Registering.Confirm -> ui.column(
                server,
                ui.label(ui.text(R.string.register_confirm), Type.CAPTION),
                ui.label(state.code, Type.TOTAL).centred().apply {
                    letterSpacing = CODE_SPACING
                    contentDescription = ui.text(R.string.register_confirm_says, state.code.toList().joinToString(" "))
                },
            )
            Registering.Refused -> ui.note(Colours.BAD, ui.text(R.string.registration_server), ui.text(R.string.registration_server_now))
            Registering.Forged -> ui.note(Colours.BAD, ui.text(R.string.registration_forged), ui.text(R.string.registration_forged_now))
            Registering.Key -> ui.note(Colours.BAD, ui.text(R.string.fault_key), ui.text(R.string.fault_key_now))
        }
    }

    private companion object {
        const val CODE_SPACING = 0.1f
    }
}

/** A registered device that cannot sell now, with what to do about it. */
class WaitingScreen(private val ui: Ui) : Screen<Waiting> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: Waiting) = slot.show(page) { reason ->
        val (what, now) = when (reason) {
            Waiting.CONFIG -> R.string.no_config_title to R.string.no_config_hint
            Waiting.TILL -> R.string.no_till_title to R.string.no_till_hint
            Waiting.LOCKED -> R.string.locked_title to R.string.locked_hint
        }
        val shape = if (reason == Waiting.CONFIG) Shape.SQUARE else Shape.OCTAGON
        ui.page(
            ui.column(
                ui.column(ShapeView(ui.context, shape, ui.colour(R.color.ink), ui.size(R.dimen.shape))),
                ui.label(ui.text(what), Type.HEADLINE),
                ui.label(ui.text(now), Type.CAPTION),
                gap = R.dimen.gap_large,
            ).apply { gravity = Gravity.CENTER_VERTICAL },
        )
    }
}

/** There is no terminal: nothing was booked and nothing is lost, but only a technician gets further. */
class BrokenScreen(private val ui: Ui) : Screen<Page.Broken> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: Page.Broken) = slot.show(page) {
        val what = when (it.what) {
            Broken.QUEUE -> R.string.broken_queue
            Broken.KEY -> R.string.broken_key
            Broken.DEVICE -> R.string.broken_device
        }
        ui.page(
            ui.column(
                ui.column(ShapeView(ui.context, Shape.OCTAGON, ui.colour(R.color.bad_text), ui.size(R.dimen.shape))),
                ui.label(ui.text(what), Type.HEADLINE),
                ui.label(ui.text(R.string.broken_now), Type.CAPTION),
                ui.label(it.reason, Type.SMALL),
                gap = R.dimen.gap_large,
            ).apply { gravity = Gravity.CENTER_VERTICAL },
        )
    }
}

/** Nobody is logged in: a wristband of the crew, a name, a PIN. */
class LoginScreen(private val ui: Ui) : Screen<LoginPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: LoginPage) = slot.show(page) { page.pin?.let { pin -> pad(pin) } ?: open(page) }

    private fun open(page: LoginPage): View {
        val hold = ui.column(
            ui.row(ShapeView(ui.context, Shape.ARCS, ui.colour(R.color.accent), 2 * ui.size(R.dimen.shape))).apply { gravity = Gravity.CENTER },
            ui.label(ui.text(R.string.login_title), Type.NUMBER).centred(),
            page.leftOpen?.let { ui.note(Colours.AGAIN, ui.text(R.string.login_left_open, it)) },
            page.last?.let { ui.label(ui.text(R.string.login_last, it)).centred() },
            gap = R.dimen.gap_large,
        ).apply { gravity = Gravity.CENTER }
        if (page.names.isEmpty()) return ui.page(hold)
        val names = Flow(ui, page.names.map { choice -> ui.button(choice.name) { ui.touch(Touch.LogIn(choice.staff)) } })
        return ui.page(ui.column(hold, ui.label(ui.text(R.string.login_choose), Type.CAPTION).centred(), names, gap = R.dimen.gap_large))
    }

    private fun pad(pin: PinPad): View {
        val dots = ui.label("\u25cf ".repeat(pin.digits).ifEmpty { " " }, Type.HEADLINE).centred().apply {
            contentDescription = ui.counted(R.plurals.pin_digits_says, pin.digits, pin.digits)
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        }
        val below = when {
            pin.checking -> ui.label(ui.text(R.string.pin_checking), Type.CAPTION).centred()
            pin.wrong -> ui.note(Colours.AGAIN, ui.text(R.string.refusal_wrong_pin), ui.counted(R.plurals.pin_tries_left, pin.triesLeft))
            else -> null
        }
        val keys = Keypad(ui, ui.text(R.string.go_on), money = false).apply { ready(pin.digits > 0 && !pin.checking) }
        val cancel = ui.button(ui.text(R.string.cancel)) { ui.touch(Touch.Back) }
        return ui.page(ui.column(ui.title(ui.text(R.string.pin_title, pin.name)).centred(), dots, below), ui.column(keys.root, cancel))
    }
}

/** Before the shift begins: everything that would stop a queue later is looked at now. */
class ShiftCheckScreen(private val ui: Ui) : Screen<ShiftCheckPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: ShiftCheckPage) = slot.show(page) {
        val rows = page.checks.map { check ->
            val said = ui.check(check)
            val (shape, ink) = when (check.state) {
                CheckState.GOOD -> Shape.TICK to R.color.good_text
                CheckState.LOOK -> Shape.SQUARE to R.color.warn_text
                CheckState.BAD -> Shape.OCTAGON to R.color.bad_text
            }
            val words = ui.column(ui.label(said.what, Type.CAPTION), ui.label(said.now), gap = R.dimen.gap_small)
            ui.row(ShapeView(ui.context, shape, ui.colour(ink), ui.size(R.dimen.sign)), words.stretched(), gap = R.dimen.gap_large).apply {
                contentDescription = ui.text(R.string.check_row_says, said.what, said.now, ui.state(check.state))
                isFocusable = true
                minimumHeight = ui.size(R.dimen.row)
            }
        }
        val begin = ui.button(ui.text(R.string.check_go), Weight.MAIN) { ui.touch(Touch.BeginShift) }.enabledWhen(page.ready)
        ui.page(ui.column(ui.title(ui.text(R.string.check_title)), *rows.toTypedArray()), begin)
    }
}
