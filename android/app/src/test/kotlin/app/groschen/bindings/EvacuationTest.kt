package app.groschen.bindings

import app.groschen.till.scan.Frame
import app.groschen.till.scan.QrReader
import app.groschen.view.EvacuationPage
import app.groschen.view.Notice
import app.groschen.view.Page
import app.groschen.view.Place
import app.groschen.view.Refusal
import app.groschen.view.Touch
import app.groschen.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Bookings of a phone that dies go to the server by another one: as codes off pictures, and as a file. */
class EvacuationTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `what a phone sold without a network reaches the books by pictures of its codes, once, and its file adds nothing`() {
        Festival(folder.root, listOf(Sample.DESK, Sample.BAR)).use { festival ->
            TestPhone(folder.newFolder()).use { desk ->
                desk.become(festival, Sample.DESK, Sample.DESK_CREW)
                desk.topUp(5_000)
                desk.allSent()
                val bar = TestPhone(folder.newFolder())
                bar.become(festival, Sample.BAR, Sample.BAR_CREW)
                bar.sell(1, left = 4_350)
                bar.allSent()
                bar.losesItsNetwork(festival)
                bar.sell(2, left = 3_050)
                val codes = bar.codes()
                val file = bar.terminal.evacuated().single().bytes
                bar.terminal.takeFile(file)
                assertEquals(Refusal.OwnCopy, refused(bar.watcher.await("the phone to know its own file") { refused(it) != null }))
                // Its battery is empty.
                bar.kill()

                desk.terminal.touch(Touch.Open(Place.EVACUATION))
                desk.terminal.touch(Touch.Take)
                desk.watcher.await("the page that takes") { taking(it) != null }
                // Backwards and each twice, as somebody holds a camera who came in the middle.
                for (code in codes.reversed()) repeat(2) {
                    val read = QrReader.read(Frame(code, size = 0.9, noise = 8.0, degrees = 4.0).take())
                    assertNotNull("a code of ${code.length} letters", read)
                    desk.terminal.touch(Touch.Scanned(checkNotNull(read)))
                }
                assertCopy(desk)
                desk.terminal.takeFile(file)
                assertCopy(desk)
                desk.terminal.takeFile(file.copyOf(file.size - 1))
                assertEquals(Refusal.NoCopy, refused(desk.watcher.await("half a file to be refused") { refused(it) != null }))

                festival.cable.plug()
                desk.terminal.networkIsBack()
                desk.watcher.await("the server to have the other phone's bookings") { it.frame.carried == 0 }
            }
            // Two sales and one top-up.
            assertEquals(3 + Sample.SHIFTS, festival.signedReceipts(3 + Sample.SHIFTS))
            festival.stopAndAudit()
        }
    }

    /** The codes as they are shown, one after the other. */
    private fun TestPhone.codes(): List<String> {
        terminal.touch(Touch.Open(Place.EVACUATION))
        terminal.touch(Touch.Give)
        val first = checkNotNull(giving(watcher.await("the first code") { giving(it) != null }))
        return (1..first.count).map { index ->
            val shown = checkNotNull(giving(watcher.await("code $index") { giving(it)?.index == index }))
            terminal.touch(Touch.Turn(forward = true))
            shown.code
        }
    }

    private fun assertCopy(desk: TestPhone) {
        val copy = desk.watcher.await("the copy") { it.notice is Notice.CopyReceived }.notice as Notice.CopyReceived
        assertEquals(1, copy.orders)
        assertEquals(2 * Sample.PILS_PRICE, copy.total)
        assertEquals(1, desk.terminal.view().frame.carried)
        desk.terminal.touch(Touch.Dismiss)
        desk.watcher.await("the word to be read") { it.notice == Notice.None }
    }

    private fun giving(view: View) = (view.page as? Page.Evacuation)?.v1 as? EvacuationPage.Giving

    private fun taking(view: View) = (view.page as? Page.Evacuation)?.v1 as? EvacuationPage.Taking

    private fun refused(view: View) = (view.notice as? Notice.Refused)?.refusal
}
