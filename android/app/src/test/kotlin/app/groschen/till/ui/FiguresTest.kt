package app.groschen.till.ui

import java.util.Locale
import org.junit.Assert.assertEquals
import org.junit.Test

class FiguresTest {
    private val german = Figures(Locale.GERMAN, "Europe/Berlin")
    private val english = Figures(Locale.ENGLISH, "Europe/Berlin")

    @Test
    fun `amounts look as the language has them, to the cent`() {
        assertEquals("1.234,56\u202f€", german.euros(123_456))
        assertEquals("€1,234.56", english.euros(123_456))
        assertEquals("\u22120,05\u202f€", german.euros(-5))
        assertEquals("€0.00", english.euros(0))
        assertEquals("\u2212€92,233,720,368,547,758.08", english.euros(Long.MIN_VALUE))
    }

    @Test
    fun `a note has no cents and a coin has them`() {
        assertEquals("20\u202f€", german.piece(2_000))
        assertEquals("€0.50", english.piece(50))
    }

    @Test
    fun `another currency is named by its code, and what it counts as is not rounded`() {
        assertEquals("1.234,50\u202fCHF", german.foreign(123_450, "CHF"))
        assertEquals("1,234.50\u202fCHF", english.foreign(123_450, "CHF"))
        assertEquals(listOf("1,07", "0,0405", "2,00"), listOf(1_070_000L, 40_500, 2_000_000).map(german::millionths))
    }

    @Test
    fun `thousands stand apart`() {
        assertEquals("999", german.count(999))
        assertEquals("1.000.000", german.count(1_000_000))
        assertEquals("\u221212,345", english.count(-12_345))
    }

    @Test
    fun `times are those of the event, in summer and winter, and in UTC where the zone is unknown`() {
        assertEquals("21:14:03", german.second(1_784_402_043_000))
        assertEquals("01:00", german.minute(0))
        assertEquals("00:00", Figures(Locale.ENGLISH, "Mars/Base").minute(0))
    }
}
