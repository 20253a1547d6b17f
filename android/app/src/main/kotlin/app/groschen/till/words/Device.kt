package app.groschen.till.words

import app.groschen.till.R
import app.groschen.till.ui.Ui
import app.groschen.view.Ability
import app.groschen.view.Alarm
import app.groschen.view.Check
import app.groschen.view.CheckKind
import app.groschen.view.CheckState
import app.groschen.view.ExerciseKind
import app.groschen.view.HomeTile
import app.groschen.view.KeyPlace
import app.groschen.view.Network
import app.groschen.view.NetworkKind
import app.groschen.view.Pill
import app.groschen.view.PillState
import app.groschen.view.Reason
import kotlin.math.abs

internal const val MINUTE_MS = 60_000L

/** What the pill says: a word, how many bookings the server lacks, and since when. */
fun Ui.pill(pill: Pill, nowMs: Long): String {
    val word = text(
        when (pill.state) {
            PillState.ONLINE -> R.string.pill_online
            PillState.SENDING -> R.string.pill_sending
            PillState.OFFLINE -> R.string.pill_offline
            PillState.ATTENTION -> R.string.pill_attention
            PillState.REPLACED -> R.string.pill_replaced
            PillState.WRONG_VERSION -> R.string.pill_version
            PillState.UNKNOWN -> R.string.pill_unknown
            PillState.STOPPED -> R.string.pill_stopped
        },
    )
    val count = if (pill.unsent > 0) figures.count(pill.unsent.toLong()) else null
    val long = pill.sinceMs?.let { nowMs - it }?.takeIf { it >= MINUTE_MS }?.let { duration(it) }
    return when {
        count != null && long != null -> text(R.string.three_parts, word, count, long)
        count != null -> text(R.string.two_parts, word, count)
        long != null -> text(R.string.two_parts, word, long)
        else -> word
    }
}

/** What is wrong with the device. */
fun Ui.alarm(alarm: Alarm): Said = when (alarm) {
    Alarm.DiskFull -> said(R.string.refusal_storage_full, R.string.refusal_storage_full_now)
    Alarm.Disk -> said(R.string.refusal_storage, R.string.refusal_storage_now)
    Alarm.Queue -> said(R.string.fault_queue, R.string.fault_queue_now)
    Alarm.Key -> said(R.string.fault_key, R.string.fault_key_now)
    Alarm.Config -> said(R.string.fault_config, R.string.fault_config_now)
    is Alarm.Clock -> {
        val off = duration(abs(alarm.minutes) * MINUTE_MS)
        if (alarm.minutes > 0) {
            said(R.string.alarm_clock_ahead, R.string.alarm_clock_ahead_now, off)
        } else {
            said(R.string.alarm_clock_behind, R.string.alarm_clock_behind_now, off)
        }
    }
    Alarm.NoNfc -> said(R.string.alarm_nfc, R.string.alarm_nfc_now)
    is Alarm.Battery -> said(R.string.alarm_battery, R.string.alarm_battery_now, alarm.percent)
    Alarm.Hot -> said(R.string.alarm_hot, R.string.alarm_hot_now)
    Alarm.Mute -> said(R.string.alarm_mute, R.string.alarm_mute_now)
}

/** What was looked at before a shift, and how it is. */
fun Ui.check(check: Check): Said {
    val isGood = check.state == CheckState.GOOD
    val number = check.number
    val said = { what: Int, good: Int, bad: Int -> Said(text(what), text(if (isGood) good else bad)) }
    val measured = { what: Int, good: Int, bad: Int, figure: (Long) -> Any ->
        Said(text(what), number?.let { text(if (isGood) good else bad, figure(it)) } ?: text(R.string.check_not_known))
    }
    return when (check.what) {
        CheckKind.NFC -> said(R.string.check_nfc, R.string.check_nfc_good, R.string.check_nfc_bad)
        CheckKind.BATTERY -> measured(R.string.check_battery, R.string.check_percent, R.string.check_battery_bad) { it.toInt() }
        CheckKind.CLOCK -> measured(R.string.check_clock, R.string.check_clock_good, R.string.check_clock_bad) { duration(abs(it) * MINUTE_MS) }
        CheckKind.PRICES -> said(R.string.check_prices, R.string.check_prices_good, R.string.check_prices_bad)
        CheckKind.DISK -> measured(R.string.check_disk, R.string.check_disk_good, R.string.check_disk_bad) { figures.count(it) }
        CheckKind.SOUND -> said(R.string.check_sound, R.string.check_sound_good, R.string.check_sound_bad)
        CheckKind.UNSENT -> Said(
            text(R.string.check_unsent),
            number?.takeIf { it > 0 }?.let { counted(R.plurals.check_unsent_some, it.toInt()) } ?: text(R.string.check_unsent_none),
        )
        CheckKind.KEYS -> said(R.string.check_keys, R.string.check_keys_good, R.string.check_keys_bad)
    }
}

/** How a check came out, for who does not see its sign. */
fun Ui.state(state: CheckState): String = text(
    when (state) {
        CheckState.GOOD -> R.string.check_state_good
        CheckState.LOOK -> R.string.check_state_warn
        CheckState.BAD -> R.string.check_state_bad
    },
)

/** What works or does not. */
fun Ui.ability(ability: Ability): String = text(
    when (ability) {
        Ability.SELL -> R.string.ability_sell
        Ability.SELL_WITHIN_LIMITS -> R.string.ability_sell_limits
        Ability.FRESH_BALANCE -> R.string.ability_balance
        Ability.TOP_UP -> R.string.ability_top_up
        Ability.TOP_UP_LATER -> R.string.ability_top_up_later
        Ability.PAY_OUT -> R.string.ability_pay_out
        Ability.CANCEL -> R.string.ability_cancel
        Ability.NEW_PRICES -> R.string.ability_prices
        Ability.BLOCK_LIST -> R.string.ability_blocks
        Ability.SIGNED_RECEIPTS -> R.string.ability_signed
    },
)

/** The network the phone is in. */
fun Ui.network(network: Network): String = when (network.kind) {
    NetworkKind.NONE -> text(R.string.network_none)
    NetworkKind.WIFI -> text(R.string.network_wifi, network.bars)
    NetworkKind.MOBILE -> text(R.string.network_mobile, network.bars)
    NetworkKind.CABLE -> text(R.string.network_cable)
}

/** Where the device's key lives. */
fun Ui.key(place: KeyPlace): String = text(
    when (place) {
        KeyPlace.HARDWARE -> R.string.key_hardware
        KeyPlace.SOFTWARE -> R.string.key_software
        KeyPlace.UNKNOWN -> R.string.key_unknown
    },
)

/** A thing to do. */
fun Ui.tile(tile: HomeTile): String = text(
    when (tile) {
        HomeTile.SALE -> R.string.home_sale
        HomeTile.TOP_UP -> R.string.home_top_up
        HomeTile.PAY_OUT -> R.string.home_pay_out
        HomeTile.BAND -> R.string.home_band
        HomeTile.HISTORY -> R.string.home_history
        HomeTile.TRAINING -> R.string.home_training
        HomeTile.GUIDE -> R.string.home_guide
        HomeTile.DEVICE -> R.string.home_device
        HomeTile.SHIFT_END -> R.string.home_shift_end
    },
)

/** What an exercise is about. */
fun Ui.exercise(kind: ExerciseKind): String = text(
    when (kind) {
        ExerciseKind.PAYS -> R.string.exercise_pays
        ExerciseKind.TOO_LOW -> R.string.exercise_too_low
        ExerciseKind.BLOCKED -> R.string.exercise_blocked
        ExerciseKind.FOREIGN -> R.string.exercise_foreign
        ExerciseKind.UNREADABLE -> R.string.exercise_unreadable
        ExerciseKind.TWO -> R.string.exercise_two
        ExerciseKind.OFFLINE -> R.string.exercise_offline
        ExerciseKind.UNDO -> R.string.exercise_undo
        ExerciseKind.CORRECT -> R.string.exercise_correct
    },
)

/** Why a sale is taken back. */
fun Ui.reason(reason: Reason): String = text(
    when (reason) {
        Reason.MISTYPED -> R.string.reason_mistyped
        Reason.GUEST_CHANGED -> R.string.reason_changed
        Reason.OUT_OF_STOCK -> R.string.reason_out_of_stock
    },
)
