package app.groschen.till.screens

import android.view.Gravity
import android.view.View
import app.groschen.till.R
import app.groschen.till.files.Errand
import app.groschen.till.files.Wanted
import app.groschen.till.ui.Beside
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Flow
import app.groschen.till.ui.QrView
import app.groschen.till.ui.Shape
import app.groschen.till.ui.ShapeView
import app.groschen.till.ui.SlideConfirm
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.Wish
import app.groschen.till.ui.button
import app.groschen.till.ui.centred
import app.groschen.till.ui.column
import app.groschen.till.ui.enabledWhen
import app.groschen.till.ui.facts
import app.groschen.till.ui.label
import app.groschen.till.ui.line
import app.groschen.till.ui.note
import app.groschen.till.ui.page
import app.groschen.till.ui.row
import app.groschen.till.ui.stretched
import app.groschen.till.ui.title
import app.groschen.till.words.ability
import app.groschen.till.words.MINUTE_MS
import app.groschen.till.words.duration
import app.groschen.till.words.have
import app.groschen.till.words.key
import app.groschen.till.words.missing
import app.groschen.till.words.network
import app.groschen.till.words.noScan
import app.groschen.view.Ability
import app.groschen.view.DevicePage
import app.groschen.view.EvacuationPage
import app.groschen.view.Language
import app.groschen.view.PillState
import app.groschen.view.Place
import app.groschen.view.SyncPage
import app.groschen.view.ThemeChoice
import app.groschen.view.Touch
import kotlin.math.abs

/** How things stand with the server: what works and what does not, how much waits, and the ways out. */
class SyncScreen(private val ui: Ui) : Screen<SyncPage> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: SyncPage) = slot.show(page) { draw(it) }

    private fun draw(page: SyncPage): View {
        val unsent = page.pill.unsent
        val lines = listOfNotNull(
            page.pill.sinceMs?.let { ui.text(R.string.sync_since, ui.figures.second(it)) },
            if (unsent > 0) ui.counted(R.plurals.sync_waits, unsent) else null,
            if (page.orders > 0) ui.counted(R.plurals.sync_unsent_orders, page.orders) else null,
            if (page.orders > 0) ui.text(R.string.sync_unsent_money, ui.figures.euros(page.total)) else null,
            page.oldestMs?.let { ui.text(R.string.sync_oldest, ui.figures.second(it)) },
            ui.network(page.network),
        )
        val works = abilities(R.string.sync_works, page.works, Shape.TICK, R.color.good_text)
        val stopped = abilities(R.string.sync_works_not, page.stopped, Shape.OCTAGON, R.color.bad_text)
        val columns = when {
            page.stopped.isEmpty() -> works
            ui.largeType -> ui.column(works, stopped, gap = R.dimen.gap_large)
            else -> ui.row(works.stretched(), stopped.stretched(), gap = R.dimen.gap_large).apply { gravity = Gravity.TOP }
        }
        return ui.page(
            ui.column(
                ui.title(ui.text(R.string.sync_title)),
                state(page.pill.state, unsent),
                ui.column(*lines.map { ui.label(it) }.toTypedArray(), gap = R.dimen.gap_small),
                columns,
                ui.line(),
                ui.button(ui.text(R.string.evacuate)) { ui.touch(Touch.Open(Place.EVACUATION)) },
                ui.label(ui.text(R.string.evacuate_hint)),
                ui.label(ui.text(R.string.sync_diagnosis), Type.CAPTION),
                QrView(ui, page.diagnosis, ui.text(R.string.sync_diagnosis_qr)),
                gap = R.dimen.gap_large,
            ),
            ui.button(ui.text(R.string.retry), Weight.MAIN) { ui.touch(Touch.TryNow) },
        )
    }

    private fun state(state: PillState, unsent: Int): View = when (state) {
        PillState.ONLINE -> ui.label(ui.text(R.string.sync_online), Type.CAPTION)
        PillState.SENDING -> ui.label(ui.counted(R.plurals.sync_sending, unsent), Type.CAPTION)
        PillState.OFFLINE, PillState.ATTENTION -> ui.note(Colours.AGAIN, ui.text(R.string.sync_offline))
        PillState.REPLACED -> ui.note(Colours.AGAIN, ui.text(R.string.pill_replaced), ui.text(R.string.fault_config_now))
        PillState.WRONG_VERSION -> ui.note(Colours.AGAIN, ui.text(R.string.pill_version), ui.text(R.string.fault_config_now))
        PillState.UNKNOWN -> ui.note(Colours.AGAIN, ui.text(R.string.pill_unknown), ui.text(R.string.fault_config_now))
        PillState.STOPPED -> ui.note(Colours.BAD, ui.text(R.string.sync_stopped), ui.text(R.string.fault_config_now))
    }

    private fun abilities(head: Int, abilities: List<Ability>, shape: Shape, ink: Int): View = ui.column(
        ui.label(ui.text(head), Type.CAPTION, ink),
        *abilities.map { ability ->
            val sign = ShapeView(ui.context, shape, ui.colour(ink), ui.size(R.dimen.gap_large) + ui.size(R.dimen.gap_small))
            ui.row(sign, ui.label(ui.ability(ability)).stretched()).apply { gravity = Gravity.TOP }
        }.toTypedArray(),
    )
}

/** Bookings are given to another phone, by codes that it scans or by a file: for a phone that dies or a night without network. */
class EvacuationScreen(private val ui: Ui) : Screen<Aided<EvacuationPage>> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    /** Codes follow each other by themselves: a camera is quicker than a thumb, and what it misses comes round again. */
    private var turns = false
    private val turn = object : Runnable {
        override fun run() {
            if (!turns || !slot.isAttachedToWindow) return
            ui.touch(Touch.Turn(forward = true))
            slot.postDelayed(this, TURN_MS)
        }
    }

    override fun show(page: Aided<EvacuationPage>) {
        if (page.page !is EvacuationPage.Giving) turns = false
        slot.show(page to turns) { (page, _) -> draw(page) }
    }

    private fun draw(page: Aided<EvacuationPage>): View = page.let { (it, beside) ->
        when (it) {
            is EvacuationPage.Start -> start(it, beside.errand)
            is EvacuationPage.Giving -> giving(it)
            is EvacuationPage.Taking -> taking(it, beside)
            is EvacuationPage.Taken -> over(Colours.GOOD, R.string.evacuate_taken, R.string.evacuate_taken_hint)
            EvacuationPage.Failed -> over(Colours.BAD, R.string.evacuate_failed, R.string.evacuate_failed_hint)
        }
    }

    private fun start(page: EvacuationPage.Start, errand: Errand): View = ui.page(
        ui.column(
            ui.title(ui.text(R.string.evacuate)),
            ui.errand(errand),
            // Whoever has the files says so, not who wrote them: only then may the shift end without the server.
            if (errand is Errand.Given) ui.button(ui.text(R.string.evacuate_done)) { handedOver() } else null,
            ui.label(ui.text(R.string.evacuate_hint), Type.CAPTION),
            ui.label(if (page.orders > 0) ui.counted(R.plurals.refusal_unsent, page.orders) else ui.text(R.string.evacuate_nothing)),
            ui.button(ui.text(R.string.evacuate_give), Weight.MAIN) { ui.touch(Touch.Give) }.enabledWhen(page.orders > 0),
            ui.button(ui.text(R.string.file_give)) { ui.phone.wish(Wish.Give) }.enabledWhen(page.orders > 0 && errand !is Errand.Running),
            ui.button(ui.text(R.string.evacuate_take)) { ui.touch(Touch.Take) },
            gap = R.dimen.gap_large,
        ),
    )

    private fun handedOver() {
        ui.phone.wish(Wish.Forget)
        ui.touch(Touch.CopyTaken)
    }

    private fun giving(page: EvacuationPage.Giving): View {
        val place = ui.text(R.string.evacuate_page, page.index, page.count)
        return ui.page(
            ui.column(
                ui.title(place).centred().apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE },
                QrView(ui, page.code, ui.text(R.string.evacuate_qr, page.index, page.count)),
            ),
            ui.column(
                ui.row(
                    ui.button(ui.text(R.string.evacuate_previous)) { ui.touch(Touch.Turn(forward = false)) }.enabledWhen(page.index > 1).stretched(),
                    ui.button(ui.text(R.string.evacuate_next), Weight.MAIN) { ui.touch(Touch.Turn(forward = true)) }.stretched(),
                ),
                ui.row(
                    if (page.count > 1) ui.button(ui.text(if (turns) R.string.evacuate_turn_stop else R.string.evacuate_turn)) { letTurn(page) }.stretched() else null,
                    ui.button(ui.text(R.string.evacuate_done)) { ui.touch(Touch.CopyTaken) }.stretched(),
                ),
            ),
        )
    }

    private fun letTurn(page: EvacuationPage.Giving) {
        turns = !turns
        slot.removeCallbacks(turn)
        if (turns) slot.postDelayed(turn, TURN_MS)
        show(Aided(page, Beside()))
    }

    private fun taking(page: EvacuationPage.Taking, beside: Beside): View = ui.page(
        ui.column(
            ui.title(ui.text(R.string.evacuate_take)),
            ui.label(ui.have(page), Type.NUMBER).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE },
            ui.missing(page)?.let { ui.label(it, Type.CAPTION) },
            ui.noScan(beside.scan, R.string.scan_instead_file)?.let { ui.note(Colours.INFO, it.what, it.now) },
            ui.errand(beside.errand),
            ui.label(ui.text(R.string.evacuate_take_hint), Type.CAPTION),
            ui.button(ui.text(R.string.scan_codes), Weight.MAIN) { ui.phone.wish(Wish.BeginScan) },
            ui.button(ui.text(R.string.file_take)) { ui.phone.wish(Wish.Take(Wanted.JOURNAL)) }.enabledWhen(beside.errand !is Errand.Running),
            gap = R.dimen.gap_large,
        ),
        ui.button(ui.text(R.string.cancel)) { ui.touch(Touch.Back) },
    )

    private fun over(colours: Colours, what: Int, now: Int): View = ui.page(
        ui.column(ui.title(ui.text(R.string.evacuate)), ui.note(colours, ui.text(what), ui.text(now)), gap = R.dimen.gap_large),
        ui.button(ui.text(R.string.go_on), Weight.MAIN) { ui.touch(Touch.Back) },
    )

    private companion object {
        /** A camera takes some thirty pictures a second, of which a phone reads ten. */
        const val TURN_MS = 300L
    }
}

/** The device itself: how it looks and sounds, what technicians ask for, and the two ways out of it. */
class DeviceScreen(private val ui: Ui) : Screen<Aided<DevicePage>> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: Aided<DevicePage>) = slot.show(page) { draw(it.page, it.beside.errand) }

    private fun draw(page: DevicePage, errand: Errand): View {
        val speaks = ui.context.resources.configuration.locales[0].language
        val languages = listOf(Language.GERMAN to R.string.language_de, Language.ENGLISH to R.string.language_en).map { (language, name) ->
            choice(ui.text(name), (language == Language.GERMAN) == (speaks == "de")) { ui.touch(Touch.Speak(language)) }
        }
        val themes = listOf(
            ThemeChoice.AUTOMATIC to R.string.theme_auto, ThemeChoice.DAY to R.string.theme_day, ThemeChoice.NIGHT to R.string.theme_night,
        ).map { (theme, name) -> choice(ui.text(name), theme == page.theme) { ui.touch(Touch.Look(theme)) } }
        val reset = if (page.mayReset) {
            SlideConfirm(ui, ui.text(R.string.device_reset)) { ui.touch(Touch.Reset) }
        } else {
            ui.column(ui.button(ui.text(R.string.device_reset)) {}.enabledWhen(false), ui.label(ui.text(R.string.device_reset_unsent)))
        }
        return ui.page(
            ui.column(
                ui.title(ui.text(R.string.device_title)),
                ui.errand(errand),
                ui.label(ui.text(R.string.device_language), Type.CAPTION), Flow(ui, languages),
                ui.label(ui.text(R.string.device_theme), Type.CAPTION), Flow(ui, themes),
                ui.button(ui.text(R.string.device_sound)) { ui.touch(Touch.TestSound) },
                ui.button(ui.text(R.string.keys_take)) { ui.phone.wish(Wish.Take(Wanted.KEYS)) }.enabledWhen(errand !is Errand.Running),
                ui.label(ui.text(R.string.keys_take_hint)),
                ui.line(),
                ui.facts(figures(page)),
                ui.line(),
                if (page.kiosk) ui.button(ui.text(R.string.device_leave)) { ui.touch(Touch.LeaveKiosk) } else null,
                if (page.kiosk) ui.label(ui.text(R.string.device_leave_hint)) else null,
                reset,
                gap = R.dimen.gap_large,
            ),
        )
    }

    private fun figures(page: DevicePage): List<Pair<String, String>> = listOfNotNull(
        ui.text(R.string.device_app) to page.app,
        page.terminal?.let { ui.text(R.string.device_terminal) to it },
        page.config?.let { ui.text(R.string.device_config) to it },
        page.clockAheadMin?.let {
            val how = if (it == 0L) ui.text(R.string.check_clock_good) else ui.text(R.string.device_clock_off, ui.duration(abs(it) * MINUTE_MS))
            ui.text(R.string.device_clock) to how
        },
        page.battery?.let { ui.text(R.string.device_battery) to ui.text(R.string.check_percent, it) },
        ui.text(R.string.device_key) to ui.key(page.key),
        ui.text(R.string.device_batches) to ui.figures.count(page.batches.toLong()),
        ui.text(R.string.device_kiosk) to ui.text(if (page.kiosk) R.string.yes else R.string.no),
        ui.text(R.string.device_update) to ui.text(if (page.mayUpdate) R.string.device_update_now else R.string.device_update_later),
        ui.text(R.string.device_nfc_test) to (page.nfcTest ?: ui.text(R.string.device_nfc_hold)),
    )

    /** One of several; the chosen one has a tick too, because a colour alone says nothing. */
    private fun choice(name: String, chosen: Boolean, act: () -> Unit): View =
        ui.button(if (chosen) "\u2713 $name" else name, if (chosen) Weight.MAIN else Weight.PLAIN, act).apply { isSelected = chosen }
}
