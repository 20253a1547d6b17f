package app.groschen.till

import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Runs a test on Robolectric and leaves the bindings outside its sandbox.
 *
 * A native library belongs to the class loader that loaded it. Were the bindings loaded once by the sandbox and once by plain
 * tests, the second would not get the library; and an object of the one would not be of the other's class.
 */
class GroschenRunner(test: Class<*>) : RobolectricTestRunner(test) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration {
        val builder = InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
        OUTSIDE.forEach(builder::doNotAcquirePackage)
        return builder.build()
    }

    private companion object {
        val OUTSIDE = listOf("com.sun.jna.", "app.groschen.core.", "app.groschen.view.", "app.groschen.bindings.", "kotlin.", "kotlinx.")
    }
}
