package app.groschen.till.keys

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import android.security.keystore.KeyProtection
import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyFactorySpi
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyPairGeneratorSpi
import java.security.KeyStore
import java.security.KeyStoreSpi
import java.security.PrivateKey
import java.security.Provider
import java.security.ProviderException
import java.security.PublicKey
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.security.spec.KeySpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.SecretKey
import javax.crypto.SecretKeyFactorySpi

/**
 * Stands in for Android's Keystore, which Robolectric does not have: keys of the same kinds, in the memory of the test, made by Bouncy Castle. It
 * keeps what each key was asked to be. It shows that we ask rightly; that a phone does what it is asked only a phone shows.
 */
internal object FakeAndroidKeyStore {
    val keys = sortedMapOf<String, Key>()
    val certificates = mutableMapOf<String, Certificate>()
    val asked = mutableMapOf<String, AlgorithmParameterSpec>()
    val protections = mutableMapOf<String, KeyProtection>()
    var level = KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT
    var broken = false

    fun install() {
        remove()
        for (map in listOf(keys, certificates, asked, protections)) map.clear()
        level = KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT
        broken = false
        Security.addProvider(FakeProvider())
    }

    fun remove() = Security.removeProvider(DeviceKeystore.PROVIDER)

    fun answer() {
        if (broken) throw ProviderException("Keystore is not there")
    }
}

private class FakeProvider : Provider(DeviceKeystore.PROVIDER, "1", "a stand-in") {
    init {
        put("KeyStore.AndroidKeyStore", FakeStore::class.java.name)
        put("KeyPairGenerator.EC", FakeEc::class.java.name)
        put("KeyFactory.EC", FakeKeyFactory::class.java.name)
        put("SecretKeyFactory.AES", FakeSecretKeyFactory::class.java.name)
    }
}

private class FakeCertificate(private val key: PublicKey) : Certificate("X.509") {
    override fun getEncoded(): ByteArray = key.encoded
    override fun verify(key: PublicKey) = Unit
    override fun verify(key: PublicKey, provider: String) = Unit
    override fun toString(): String = "a certificate"
    override fun getPublicKey(): PublicKey = key
}

internal class FakeEc : KeyPairGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun initialize(keysize: Int, random: SecureRandom) = throw UnsupportedOperationException()

    override fun initialize(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun generateKeyPair(): KeyPair {
        FakeAndroidKeyStore.answer()
        val generator = KeyPairGenerator.getInstance("EC", "BC")
        generator.initialize(checkNotNull(spec.algorithmParameterSpec))
        return generator.generateKeyPair().also {
            FakeAndroidKeyStore.keys[spec.keystoreAlias] = it.private
            FakeAndroidKeyStore.certificates[spec.keystoreAlias] = FakeCertificate(it.public)
            FakeAndroidKeyStore.asked[spec.keystoreAlias] = spec
        }
    }
}

private fun keyInfo(): KeyInfo {
    val no = emptyArray<String>()
    return KeyInfo(
        "key", false, 0, 128, null, null, null, 0, no, no, no, no, false, 0, 0, false, false, false, false, false, false,
        FakeAndroidKeyStore.level, 0,
    )
}

internal class FakeKeyFactory : KeyFactorySpi() {
    override fun <T : KeySpec> engineGetKeySpec(key: Key, spec: Class<T>): T = spec.cast(keyInfo())
    override fun engineGeneratePublic(spec: KeySpec): PublicKey = throw UnsupportedOperationException()
    override fun engineGeneratePrivate(spec: KeySpec): PrivateKey = throw UnsupportedOperationException()
    override fun engineTranslateKey(key: Key): Key = throw UnsupportedOperationException()
}

internal class FakeSecretKeyFactory : SecretKeyFactorySpi() {
    override fun engineGetKeySpec(key: SecretKey, spec: Class<*>): KeySpec = spec.cast(keyInfo()) as KeySpec
    override fun engineGenerateSecret(spec: KeySpec): SecretKey = throw UnsupportedOperationException()
    override fun engineTranslateKey(key: SecretKey): SecretKey = throw UnsupportedOperationException()
}

internal class FakeStore : KeyStoreSpi() {
    override fun engineLoad(stream: InputStream?, password: CharArray?) = FakeAndroidKeyStore.answer()
    override fun engineLoad(param: KeyStore.LoadStoreParameter?) = FakeAndroidKeyStore.answer()

    override fun engineGetKey(alias: String, password: CharArray?): Key? {
        FakeAndroidKeyStore.answer()
        return FakeAndroidKeyStore.keys[alias]
    }

    override fun engineSetEntry(alias: String, entry: KeyStore.Entry, protection: KeyStore.ProtectionParameter?) {
        FakeAndroidKeyStore.answer()
        val secret = entry as? KeyStore.SecretKeyEntry ?: throw UnsupportedOperationException()
        FakeAndroidKeyStore.keys[alias] = secret.secretKey
        FakeAndroidKeyStore.protections[alias] = protection as KeyProtection
    }

    override fun engineAliases(): Enumeration<String> = Collections.enumeration(FakeAndroidKeyStore.keys.keys.toList())
    override fun engineContainsAlias(alias: String): Boolean = alias in FakeAndroidKeyStore.keys
    override fun engineGetCertificate(alias: String): Certificate? = FakeAndroidKeyStore.certificates[alias]
    override fun engineGetCertificateChain(alias: String): Array<Certificate>? = engineGetCertificate(alias)?.let { arrayOf(it) }

    override fun engineDeleteEntry(alias: String) {
        FakeAndroidKeyStore.keys.remove(alias)
    }

    override fun engineSize(): Int = FakeAndroidKeyStore.keys.size
    override fun engineIsKeyEntry(alias: String): Boolean = engineContainsAlias(alias)
    override fun engineIsCertificateEntry(alias: String): Boolean = false
    override fun engineGetCertificateAlias(certificate: Certificate): String? = null
    override fun engineGetCreationDate(alias: String): Date = Date(0)
    override fun engineStore(stream: OutputStream?, password: CharArray?) = throw UnsupportedOperationException()
    override fun engineSetCertificateEntry(alias: String, certificate: Certificate) = throw UnsupportedOperationException()
    override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) = throw UnsupportedOperationException()
    override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?) =
        throw UnsupportedOperationException()
}
