import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// A request as the command line gives it: words of the prompt, and options that derive from what the
/// request's parameters and the parts of the machine declare.
struct RequestArguments {
  /// The request.
  private(set) var request = Request("")
  /// The files that it names.
  private(set) var files = Attachments()
  /// What was set on the command line, by the parameters' names.
  private(set) var given: Set<String> = []
  /// Whether the prompt was typed, as a person does, and not part of a request's file.
  private(set) var isPromptTyped = false
  /// The pictures of a folder that was named to begin from; each is painted from.
  private(set) var startPictures: [String] = []
  private var words: [String] = []

  private static let shorts = ["m": "method", "s": "seed", "i": "iterations", "p": "prompt"]

  /// Reads words and options.
  /// - Parameter base: what stands in where the command line is silent.
  /// - Throws: `ValidationError`, `RequestError`, or an error of a file.
  init(parsing arguments: [String], base: Request? = nil, files: Attachments = Attachments()) throws
  {
    if let base { request = base }
    self.files = files
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if word == "--" {
        words += rest
        break
      }
      guard word.hasPrefix("-"), word.count > 1, Double(word) == nil else {
        words.append(word)
        continue
      }
      try readOption(word, &rest)
    }
    if !words.isEmpty { try set("prompt", words.joined(separator: " ")) }
  }

  private mutating func readOption(_ word: String, _ rest: inout ArraySlice<String>) throws {
    let pieces = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let typed = String(pieces[0])
    let flag =
      typed.hasPrefix("--")
      ? String(typed.dropFirst(2)) : Self.shorts[String(typed.dropFirst())] ?? ""
    guard Self.flags.contains(flag) || flag == "prompt" else { throw Self.unknown(typed) }
    guard let value = pieces.count > 1 ? String(pieces[1]) : rest.popFirst() else {
      throw ValidationError("Missing value for '\(typed)'.")
    }
    if flag == "prompt" {
      words.append(value)
    } else {
      try set(flag, value)
    }
  }

  /// Sets what a flag, without its dashes, stands for.
  mutating func set(_ flag: String, _ text: String) throws {
    if let form = Self.promptFlags[flag] {
      for piece in text.split(separator: "|") { try add(form, String(piece)) }
      given.insert("prompts")
    } else if flag == "prompt" {
      request.prompt = text
      isPromptTyped = true
    } else if flag == "size" {
      guard let size = PictureSize(argument: text) else {
        throw ValidationError(
          "The value '\(text.prefix(40))' is invalid for '--size <size>': use 256 or 320x200.")
      }
      try request.set("width", .integer(size.width))
      try request.set("height", .integer(size.height))
      given.formUnion(["width", "height"])
    } else if flag == "init-image", Self.isFolder(text) {
      startPictures = try PictureFolder.pictures(in: text)
    } else if flag == "method" {
      try set("method", .method, Self.methodName(text))
    } else if flag == "seed" {
      guard text.wholeMatch(of: /\s*\d+\s*(\.\.+|,)\s*\d.*/) == nil else {
        throw ValidationError(
          "--seed takes one seed, not '\(text.prefix(40))'. For several: --grid seed=\(text.prefix(40))"
        )
      }
      try request.set("seed", .string(text))
      given.insert("seed")
    } else if let parameter = Request.parameters.first(where: { $0.flag == flag }) {
      try set(parameter.name, parameter.kind, text)
    } else if let argument = Self.methodArguments.first(where: { flagName(of: $0.name) == flag }) {
      try set(argument.name, argument.kind, text)
    } else {
      throw Self.unknown("--\(flag)")
    }
  }

  private mutating func set(_ name: String, _ kind: ParameterKind, _ text: String) throws {
    let read = try kind.value(of: text, field: name, in: .builtIn) { try attach($0) }
    if case .file = kind { try checkPicture(text) }
    var value = read
    if kind.accumulates, given.contains(name), case .array(let before) = request[name],
      case .array(let now) = read
    {
      value = .array(before + now)
    }
    try request.set(name, value)
    given.insert(name)
  }

  /// Sets what was not set on the command line.
  mutating func `default`(_ name: String, _ value: JSONValue) {
    if !given.contains(name) { try? request.set(name, value) }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The same that begins from one of the pictures of the folder.
  func beginning(from picture: String) throws -> RequestArguments {
    var copy = self
    copy.startPictures = []
    try copy.set("init-image", picture)
    return copy
  }

  /// Whether chance has a say in what was typed; a request's file says what it is.
  var leavesToChance: Bool {
    isPromptTyped && Alternatives.has(request.prompt)
      || given.contains("negativePrompt") && Alternatives.has(request.negativePrompt ?? "")
  }

  /// The same with everything drawn that the prompts leave to chance.
  func drawn(_ alternatives: Alternatives, seed: Int) throws -> RequestArguments {
    var copy = self
    copy.request.seed = seed
    copy.request.prompt = try alternatives.drawn(request.prompt, seed: seed, "prompt")
    if given.contains("negativePrompt"), let text = request.negativePrompt {
      copy.request.negativePrompt = try alternatives.drawn(text, seed: seed, "negative prompt")
    }
    return copy
  }

  mutating func attach(_ path: String) throws -> FileReference {
    try FileError.check(path)
    return try files.add(URL(filePath: path))
  }

  /// A picture that cannot be read is better said now, by the name that was typed.
  private func checkPicture(_ path: String) throws { _ = try Picture.read(from: path) }

  // MARK: Prompts

  private enum PromptForm {
    case image, embedding, noise, label, inside, outside
  }

  private static let promptFlags: [String: PromptForm] = [
    "image-prompt": .image, "embedding-prompt": .embedding, "noise-prompt": .noise,
    "label": .label, "spot": .inside, "spot-off": .outside,
  ]

  private mutating func add(_ form: PromptForm, _ text: String) throws {
    let (content, weight, stop) = try peel(form, text)
    let target: Prompt.Target
    switch form {
    case .image:
      target = .image(try attach(content))
      try checkPicture(content)
    case .embedding: target = .embedding(try attach(content))
    case .label: target = .label(content)
    case .inside, .outside: target = .text(content)
    case .noise:
      guard let seed = Int(content), seed >= 0 else {
        throw ValidationError("--noise-prompt takes a seed, not '\(content.prefix(40))'.")
      }
      target = .noise(seed)
    }
    let region: Prompt.Region =
      switch form {
      case .inside: .inside
      case .outside: .outside
      default: .everywhere
      }
    request.prompts =
      (request.prompts ?? []) + [
        Prompt(target, weight: weight, stop: stop, region: region)
      ]
  }

  private func peel(_ form: PromptForm, _ text: String) throws -> (String, Double, Double) {
    // A seed is a number itself: it stands first.
    guard case .noise = form else {
      let (content, weight, stop) = try Prompt.peel(text.trimmingCharacters(in: .whitespaces))
      return (content, weight, stop)
    }
    let (content, weight, stop) = try Prompt.peel("x\(text)")
    return (String(content.dropFirst()), weight, stop)
  }

  // MARK: What there is

  static var methodArguments: [PartArgument] { Registry.builtIn.arguments }

  /// Every flag, without its dashes.
  static var flags: [String] {
    let hidden: Set = ["width", "height", "prompts"]
    return Request.parameters.filter { !hidden.contains($0.name) }.map(\.flag) + ["size"]
      + promptFlags.keys.sorted() + methodArguments.map { flagName(of: $0.name) }
  }

  /// What a shell offers among the words of a prompt.
  static var completion: CompletionKind { .list(flags.map { "--\($0)" }) }

  /// The options that commands declare themselves, read from the help screen.
  private static var ownOptions: [String] {
    Paint.helpMessage(columns: 200).matches(
      of: /^ +(?:-\w, )?--([a-z-]+)/.anchorsMatchLineEndings()
    )
    .map { String($0.1) }
  }

  /// Every option, with its dashes; all take a value.
  static var options: Set<String> {
    Set(flags.map { "--" + $0 } + shorts.keys.map { "-" + $0 } + ["--prompt"])
  }

  /// The flag of a parameter or of a method's argument, without its dashes; nil where there is none.
  static func flag(named name: String) -> String? {
    if ["width", "height"].contains(name) { return "size" }
    let flag = Request.parameter(name)?.flag ?? flagName(of: name)
    return flags.contains(flag) ? flag : nil
  }

  /// A method as it is spelled here: `DALL-E` is `dalle`.
  private static func methodName(_ text: String) -> String {
    func letters(_ text: String) -> String {
      text.lowercased().filter { $0.isLetter || $0.isNumber }
    }
    let names = Registry.builtIn.methods.map(\.id.rawValue) + [Method.ID.auto.rawValue]
    if names.contains(text) { return text }
    return names.first { letters($0) == letters(text) } ?? text
  }

  private static func unknown(_ typed: String) -> ValidationError {
    let name = String(typed.drop { $0 == "-" }).replacing("_", with: "-")
    let advice: String
    if let hint = OptionHints.hint(for: name) {
      advice = ". \(hint)"
    } else if let near = nearestName(to: name, among: flags + Self.ownOptions) {
      advice = ". Did you mean '--\(near)'?"
    } else {
      advice = ". See: reverie --help"
    }
    return ValidationError("Unknown option '\(typed)'" + advice)
  }
}
