package app.groschen.till.ui

import java.time.DateTimeException
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.util.Locale

/**
 * Amounts, counts and times as people of a language write them, the same as on the laptop till and the console.
 *
 * Only ways of writing: whole cents come in and characters go out, by integers alone. Times are those of the event's zone, never of the phone's.
 */
class Figures(private val language: Locale, zone: String) {
    private val german = language.language == Locale.GERMAN.language
    private val zone: ZoneId = try {
        ZoneId.of(zone)
    } catch (_: DateTimeException) {
        ZoneId.of("UTC")
    }

    /** `1.234,56 €` and `€1,234.56`, with a narrow space that does not break. */
    fun euros(cents: Long): String {
        val sign = if (cents < 0) MINUS else ""
        // The least Long has no positive twin; its halves have.
        val whole = grouped(unsigned(cents / CENTS))
        val rest = unsigned(cents % CENTS).padStart(2, '0')
        return if (german) "$sign$whole,$rest$NARROW_SPACE€" else "$sign€$whole.$rest"
    }

    /** A note or coin: `20 €`, and `0,50 €` for what has cents. */
    fun piece(cents: Long): String = when {
        cents % CENTS != 0L -> euros(cents)
        german -> "${grouped(unsigned(cents / CENTS))}$NARROW_SPACE€"
        else -> "€${grouped(unsigned(cents / CENTS))}"
    }

    /** Cash of another currency: `50,00 CHF`. */
    fun foreign(hundredths: Long, code: String): String {
        val sign = if (hundredths < 0) MINUS else ""
        val whole = grouped(unsigned(hundredths / CENTS))
        val rest = unsigned(hundredths % CENTS).padStart(2, '0')
        return "$sign$whole${if (german) "," else "."}$rest$NARROW_SPACE$code"
    }

    /** What a unit of another currency counts as: `1,07` of 1 070 000 millionths. */
    fun millionths(value: Long): String {
        val rest = (value % MILLION).toString().padStart(RATE_PLACES, '0').trimEnd('0').padEnd(2, '0')
        return "${grouped(unsigned(value / MILLION))}${if (german) "," else "."}$rest"
    }

    /** A whole number with its thousands apart. */
    fun count(number: Long): String = (if (number < 0) MINUS else "") + grouped(unsigned(number))

    /** `21:14` */
    fun minute(atMs: Long): String = written(atMs, "HH:mm")

    /** `21:14:03` */
    fun second(atMs: Long): String = written(atMs, "HH:mm:ss")

    private fun written(atMs: Long, pattern: String): String =
        DateTimeFormatter.ofPattern(pattern, language).format(Instant.ofEpochMilli(atMs).atZone(zone))

    private fun unsigned(number: Long): String = number.toString().removePrefix("-")

    private fun grouped(digits: String): String =
        digits.reversed().chunked(GROUP).joinToString(if (german) "." else ",").reversed()

    private companion object {
        const val CENTS = 100L
        const val GROUP = 3
        const val MILLION = 1_000_000L
        const val RATE_PLACES = 6
        const val NARROW_SPACE = '\u202f'
        const val MINUS = "\u2212"
    }
}
