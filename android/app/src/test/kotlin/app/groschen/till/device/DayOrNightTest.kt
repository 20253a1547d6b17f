package app.groschen.till.device

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class DayOrNightTest {
    @Test
    fun `it is night after half a minute of dark and not before`() {
        val judge = DayOrNight(night = false)
        assertFalse(judge.read(lux = 3f, atMs = 1_000))
        assertFalse(judge.read(lux = 3f, atMs = 30_999))
        assertTrue(judge.read(lux = 3f, atMs = 31_000))
    }

    @Test
    fun `a hand over the sensor changes nothing`() {
        val judge = DayOrNight(night = false)
        judge.read(lux = 0f, atMs = 0)
        judge.read(lux = 8_000f, atMs = 29_000)
        assertFalse(judge.read(lux = 0f, atMs = 31_000))
        assertFalse(judge.read(lux = 0f, atMs = 60_999))
        assertTrue(judge.read(lux = 0f, atMs = 61_000))
    }

    @Test
    fun `dusk between the limits leaves it as it is`() {
        val day = DayOrNight(night = false)
        val night = DayOrNight(night = true)
        for (s in 0L..600L) {
            assertFalse(day.read(lux = 60f, atMs = s * 1000))
            assertTrue(night.read(lux = 60f, atMs = s * 1000))
        }
    }

    @Test
    fun `a headlight does not make day, a morning does`() {
        val judge = DayOrNight(night = true)
        judge.read(lux = 5_000f, atMs = 0)
        judge.read(lux = 1f, atMs = 10_000)
        assertTrue(judge.read(lux = 5_000f, atMs = 30_000))
        val changes = (31L..120L).map { judge.read(lux = 5_000f, atMs = it * 1000) }.zipWithNext().count { (a, b) -> a != b }
        assertEquals(1, changes)
        assertFalse(judge.read(lux = 5_000f, atMs = 121_000))
    }
}
