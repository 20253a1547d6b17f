package app.groschen.till.screens

import android.widget.FrameLayout
import app.groschen.till.files.Errand
import app.groschen.till.scan.Scan
import app.groschen.till.ui.Beside
import app.groschen.till.ui.Ui
import app.groschen.view.EvacuationPage
import app.groschen.view.Page

/** The page that is on the screen: kept while pages of its kind follow each other. */
internal class Pages(private val ui: Ui, private val body: FrameLayout) {
    private var current: Screen<*>? = null

    fun show(page: Page, beside: Beside) = when (page) {
        Page.Starting, Page.Ended -> on(Unit) { StartScreen(ui) }
        is Page.Broken -> on(page) { BrokenScreen(ui) }
        is Page.Register -> when (val scan = beside.scan) {
            is Scan.On -> on(ScanPage.of(page.v1, scan)) { ScanScreen(ui) }
            else -> on(Aided(page.v1, beside)) { RegisterScreen(ui) }
        }
        is Page.Waiting -> on(page.reason) { WaitingScreen(ui) }
        is Page.Login -> on(page.v1) { LoginScreen(ui) }
        is Page.ShiftCheck -> on(page.v1) { ShiftCheckScreen(ui) }
        is Page.Home -> on(page.tiles) { HomeScreen(ui) }
        is Page.Sale -> on(page.v1) { SaleScreen(ui) }
        is Page.FreePrice -> on(page.v1) { FreePriceScreen(ui) }
        is Page.Cart -> on(page.v1) { CartScreen(ui) }
        is Page.Split -> on(page.v1) { SplitScreen(ui) }
        is Page.History -> on(page.v1) { HistoryScreen(ui) }
        is Page.Order -> on(page.v1) { OrderScreen(ui) }
        is Page.TopUp -> on(page.v1) { TopUpScreen(ui) }
        is Page.Foreign -> on(page.v1) { ForeignScreen(ui) }
        is Page.PayOut -> on(page.v1) { PayOutScreen(ui) }
        is Page.Band -> on(page.v1) { BandScreen(ui) }
        is Page.Receipt -> on(page.v1) { ReceiptScreen(ui) }
        is Page.Sync -> on(page.v1) { SyncScreen(ui) }
        is Page.Evacuation -> {
            val (evacuation, scan) = page.v1 to beside.scan
            if (evacuation is EvacuationPage.Taking && scan is Scan.On) {
                on(ScanPage.of(evacuation, scan)) { ScanScreen(ui) }
            } else {
                on(Aided(evacuation, beside)) { EvacuationScreen(ui) }
            }
        }
        is Page.Device -> when (val errand = beside.errand) {
            is Errand.Locked -> on(errand) { PassphraseScreen(ui) }
            else -> on(Aided(page.v1, beside)) { DeviceScreen(ui) }
        }
        is Page.ShiftEnd -> on(page.v1) { ShiftEndScreen(ui) }
        is Page.Training -> on(page.v1) { TrainingScreen(ui) }
        Page.Guide -> on(Unit) { GuideScreen(ui) }
    }

    private inline fun <reified S : Screen<P>, P> on(page: P, make: () -> S) {
        val screen = current as? S ?: make().also {
            body.removeAllViews()
            body.addView(it.root, FrameLayout.LayoutParams(FrameLayout.LayoutParams.MATCH_PARENT, FrameLayout.LayoutParams.MATCH_PARENT))
            current = it
        }
        screen.show(page)
    }
}
