package com.proxymesh.support

import java.io.File
import java.lang.reflect.Constructor
import java.lang.reflect.Executable
import java.lang.reflect.Field
import java.lang.reflect.GenericArrayType
import java.lang.reflect.Member
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import java.lang.reflect.ParameterizedType
import java.lang.reflect.Type
import java.lang.reflect.TypeVariable
import java.lang.reflect.WildcardType
import kotlin.coroutines.Continuation
import kotlin.metadata.KmConstructor
import kotlin.metadata.KmFunction
import kotlin.metadata.KmPackage
import kotlin.metadata.KmProperty
import kotlin.metadata.Visibility
import kotlin.metadata.jvm.JvmMethodSignature
import kotlin.metadata.jvm.KotlinClassMetadata
import kotlin.metadata.jvm.getterSignature
import kotlin.metadata.jvm.setterSignature
import kotlin.metadata.jvm.signature
import kotlin.metadata.visibility
import org.jspecify.annotations.NullMarked
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/**
 * Asserts that Java can use the module that [anchor] belongs to: no signature has a type of Kotlin, except those of suspend functions, no
 * question is called `getHas…`, and the package says what can be null.
 */
fun assertIsForJava(anchor: Class<*>) {
    assertTrue(anchor.`package`.isAnnotationPresent(NullMarked::class.java), "${anchor.`package`}")
    val classes = publicClasses(anchor)
    assertTrue(anchor in classes)
    assertEquals(emptyList<String>(), classes.flatMap(::signaturesOfKotlin))
    val questions = classes.flatMap(::membersForJava).filter { it is Method && it.returnType == Boolean::class.javaPrimitiveType }
    assertEquals(emptyList<Member>(), questions.filter { it.name.startsWith("get") })
}

/** The signatures of a class that Java can use, and that have types of Kotlin. */
fun signaturesOfKotlin(type: Class<*>): List<String> {
    val supertypes = (listOfNotNull(type.genericSuperclass) + type.genericInterfaces).map { "$type is a $it" to listOf(it) }
    return (supertypes + membersForJava(type).map { shown(it) to typesOf(it) })
        .filter { (_, types) -> types.flatMap(::classesOf).any { it.name.startsWith("kotlin") } }
        .map { (signature, _) -> signature }
}

/** The public classes in the same package as [anchor], and those inside them. */
private fun publicClasses(anchor: Class<*>): List<Class<*>> {
    val folder = File(anchor.protectionDomain.codeSource.location.toURI()).resolve(anchor.packageName.replace('.', '/'))
    val names = folder.list().orEmpty().filter { it.endsWith(".class") && it != "package-info.class" }.map { it.removeSuffix(".class") }
    return names.map { Class.forName("${anchor.packageName}.$it", false, anchor.classLoader) }
        .filter { type -> generateSequence(type) { it.declaringClass }.all(::isPublic) }
}

private fun isPublic(type: Class<*>): Boolean = Modifier.isPublic(type.modifiers) && when (val metadata = metadata(type)) {
    is KotlinClassMetadata.Class -> metadata.kmClass.visibility == Visibility.PUBLIC
    is KotlinClassMetadata.FileFacade -> true
    else -> false
}

private fun metadata(type: Class<*>) = type.getAnnotation(Metadata::class.java)?.let { KotlinClassMetadata.readStrict(it) }

/** Suspend functions are for Kotlin, and Java cannot write a mangled name. What is internal has a public method in the class file. */
private fun membersForJava(type: Class<*>): List<Member> {
    val hidden = hidden(type)
    return (type.declaredConstructors.toList() + type.declaredMethods + type.declaredFields).filter { member ->
        val isVisible = Modifier.isPublic(member.modifiers) || Modifier.isProtected(member.modifiers)
        val isMangled = member !is Constructor<*> && ('-' in member.name || '$' in member.name)
        val isSuspending = member is Executable && Continuation::class.java in member.parameterTypes
        isVisible && !member.isSynthetic && !isMangled && !isSuspending && signature(member) !in hidden
    }
}

private fun hidden(type: Class<*>): Set<String> {
    fun KmPackage.all() = members(functions, properties)
    return when (val metadata = metadata(type)) {
        is KotlinClassMetadata.Class -> metadata.kmClass.run { members(functions, properties) + constructors.mapNotNull(::hidden) }
        is KotlinClassMetadata.FileFacade -> metadata.kmPackage.all()
        else -> emptyList()
    }.map(JvmMethodSignature::toString).toSet()
}

private fun members(functions: List<KmFunction>, properties: List<KmProperty>): List<JvmMethodSignature> =
    functions.filterNot { isForUsers(it.visibility) }.mapNotNull { it.signature } +
        properties.filterNot { isForUsers(it.visibility) }.flatMap { listOfNotNull(it.getterSignature, it.setterSignature) }

private fun hidden(constructor: KmConstructor) = constructor.takeUnless { isForUsers(it.visibility) }?.signature

private fun isForUsers(visibility: Visibility) = visibility == Visibility.PUBLIC || visibility == Visibility.PROTECTED

private fun shown(member: Member) = when (member) {
    is Executable -> member.toGenericString()
    is Field -> member.toGenericString()
    else -> error("$member")
}

private fun signature(member: Member): String? = when (member) {
    is Method -> JvmMethodSignature(member.name, descriptor(member.parameterTypes, member.returnType)).toString()
    is Constructor<*> -> JvmMethodSignature("<init>", descriptor(member.parameterTypes, Void.TYPE)).toString()
    else -> null
}

private fun descriptor(parameters: Array<Class<*>>, result: Class<*>) =
    parameters.joinToString("", "(", ")") { it.descriptorString() } + result.descriptorString()

private fun typesOf(member: Member): List<Type> = when (member) {
    is Method -> member.genericParameterTypes.asList() + member.genericReturnType + bounds(member)
    is Executable -> member.genericParameterTypes.asList() + bounds(member)
    is Field -> listOf(member.genericType)
    else -> emptyList()
}

private fun bounds(member: Executable) = member.typeParameters.flatMap { it.bounds.asList() }

private fun classesOf(type: Type): List<Class<*>> = when (type) {
    is Class<*> -> listOf(if (type.isArray) type.componentType else type)
    is ParameterizedType -> classesOf(type.rawType) + type.actualTypeArguments.flatMap(::classesOf)
    is GenericArrayType -> classesOf(type.genericComponentType)
    is WildcardType -> (type.upperBounds + type.lowerBounds).flatMap(::classesOf)
    is TypeVariable<*> -> emptyList() // its bounds may contain it
    else -> error("$type")
}
