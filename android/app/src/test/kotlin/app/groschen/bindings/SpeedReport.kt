package app.groschen.bindings

import app.groschen.core.SimulatedBand
import app.groschen.view.Method
import app.groschen.view.Page
import app.groschen.view.Place
import app.groschen.view.Touch
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/**
 * Figures, never judged: how long a touch and a payment take through the bindings on this machine. Its name keeps it out of the tests;
 * `android_test -Dtest=SpeedReport` runs it. A phone's radio, its Keystore and its runtime are not in these figures.
 */
class SpeedReport {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `touches and payments`() {
        Festival(folder.root, listOf(Sample.BAR)).use { festival ->
            TestPhone(folder.newFolder()).use { bar ->
                bar.become(festival, Sample.BAR, Sample.BAR_CREW)
                bar.allSent()
                repeat(WARM_UP) { bar.touch() }
                say("touch to view", List(ROUNDS) { measure { bar.touch() } })
                repeat(WARM_UP) { bar.pay() }
                say("payment, online, hold to return", List(ROUNDS) { bar.pay() })
                bar.losesItsNetwork(festival)
                say("payment, offline, hold to return", List(ROUNDS) { bar.pay() })
            }
        }
    }

    /** One exchange of a chip is a call through the bindings and back, and each of its cryptograms a call into the Keystore. */
    @Test
    fun `payments with money on the chip`() {
        Festival(folder.root, listOf(Sample.DESK, Sample.BAR)).use { festival ->
            val guests = (0 until PURSES).map { purse(it.toUShort()) }
            TestPhone(folder.newFolder()).use { desk ->
                desk.become(festival, Sample.DESK, Sample.DESK_CREW)
                desk.terminal.takePurseKeys()
                desk.terminal.touch(Touch.Open(Place.TOP_UP))
                for (guest in guests) {
                    desk.terminal.touch(Touch.Preset(FILLING))
                    desk.terminal.touch(Touch.TopUp(Method.CASH))
                    desk.watcher.await("the top-up to wait for its wristband") { (it.page as? Page.TopUp)?.v1?.open?.amount == FILLING }
                    desk.hold(guest)
                    desk.watcher.await("the purse to be filled") { done(it)?.left == FILLING }
                    desk.terminal.touch(Touch.Dismiss)
                }
                desk.allSent()
            }
            TestPhone(folder.newFolder()).use { bar ->
                bar.become(festival, Sample.BAR, Sample.BAR_CREW)
                bar.terminal.takePurseKeys()
                bar.allSent()
                say("payment of a purse, online, hold to return", guests.flatMap { guest -> List(BEERS) { round -> bar.payFrom(guest, round) } })
            }
        }
    }

    private fun TestPhone.payFrom(guest: SimulatedBand, round: Int): Long {
        fill(1)
        val selected = guest.lay()
        val link = Link(guest)
        return measure { terminal.hold(link, selected) }.also {
            terminal.left()
            watcher.await("the beer to be paid") { done(it)?.left == FILLING - (round + 1) * Sample.PILS_PRICE }
            terminal.touch(Touch.Dismiss)
        }
    }

    /** A beer into the cart and out again: two touches and two views. */
    private fun TestPhone.touch() {
        terminal.touch(Touch.Tile(Sample.PILS))
        watcher.await("a beer") { total(it) == Sample.PILS_PRICE }
        terminal.touch(Touch.Minus(Sample.PILS))
        watcher.await("no beer") { total(it) == null }
    }

    /** Gives the nanoseconds of the hold alone. A cup comes back: that is never refused, and as durable as a beer. */
    private fun TestPhone.pay(): Long {
        terminal.touch(Touch.Tile(Sample.CUP))
        watcher.await("a cup") { total(it) == -200L }
        val band = band(Sample.GUEST)
        val selected = band.lay()
        val link = Link(band)
        return measure { terminal.hold(link, selected) }.also {
            terminal.left()
            watcher.await("the cup to be paid") { total(it) == null }
            band.destroy()
        }
    }

    private fun measure(work: () -> Unit): Long {
        val before = System.nanoTime()
        work()
        return System.nanoTime() - before
    }

    private fun say(what: String, nanos: List<Long>) {
        val sorted = nanos.sorted()
        val at = { part: Int -> "%.2f".format(sorted[(sorted.size - 1) * part / 100] / 1e6) }
        println("speed: $what: p50 ${at(50)} ms, p95 ${at(95)} ms, worst ${at(100)} ms of ${sorted.size}")
    }

    private companion object {
        const val WARM_UP = 200
        const val ROUNDS = 400
        /** As many as the simulated batch has. */
        const val PURSES = 4
        const val BEERS = 28
        const val FILLING = 20_000L
    }
}
