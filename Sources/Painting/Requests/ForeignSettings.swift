import Foundation
import Imaging

/// Settings that travel in a picture's file: Reverie's own, and those of other programs as far as they mean
/// something here.
public struct ForeignSettings: Sendable, Equatable {
  /// Whose they are: "reverie", "a1111", "comfyui", "disco".
  public let origin: String
  /// Fields of a request. There may be no prompt.
  public let fields: [String: JSONValue]
  /// Parameters of a film, where the settings have any.
  public let film: [String: JSONValue]
  /// What they say that is not taken over, by the other program's names.
  public let leftOut: [Remark]

  init(
    origin: String, fields: [String: JSONValue], film: [String: JSONValue] = [:],
    leftOut: [Remark] = []
  ) {
    (self.origin, self.fields, self.film, self.leftOut) = (origin, fields, film, leftOut)
  }

  /// Reads the settings that Disco Diffusion keeps beside its pictures, or a dictionary of its parameters;
  /// nil where the text is none.
  public init?(disco text: String) {
    guard let settings = DiscoSettings(text) else { return nil }
    self.init(
      origin: "disco", fields: settings.fields, film: settings.film, leftOut: settings.leftOut)
  }

  /// The request that they are.
  /// - Throws: `RequestError` where a value does not hold, or there is no prompt.
  public func request() throws(RequestError) -> Request { try Request(fields: fields) }

  /// Reads the contents of a picture's file; nil where it tells nothing.
  public init?(of data: Data) {
    guard let texts = try? PictureMetadata.read(from: data) else { return nil }
    self.init(texts)
  }

  /// Reads a text as people copy it from a gallery; nil where it tells nothing.
  public init?(pasted text: String) {
    self.init([PictureText(keyword: Metadata.infotextKeyword, text: text)])
  }

  /// Reads the texts of a file; nil where they tell nothing.
  public init?(_ texts: [PictureText]) {
    func text(_ keyword: String) -> String? { texts.last { $0.keyword == keyword }?.text }
    func object(_ keyword: String) -> [String: Any]? { text(keyword).flatMap(Self.object) }
    if let own = text(Metadata.keyword), let metadata = try? Metadata(json: own) {
      self.init(origin: Program.name, fields: metadata.request.fields)
    } else if let found = object("invokeai_metadata") ?? object("sd-metadata"),
      let fields = Self.fields(found)
    {
      self.init(origin: "invokeai", fields: fields)
    } else if let line = text("Dream"), let fields = Self.dream(line) {
      self.init(origin: "invokeai", fields: fields)
    } else if let comment = object("Comment"),
      let fields = Self.fields(comment, text("Description"))
    {
      self.init(origin: "novelai", fields: fields)
    } else if let line = text(Metadata.infotextKeyword), let read = Self.parameters(line, texts) {
      self = read
    } else if let graph = object("prompt"), let fields = ComfyGraph(graph).fields {
      self.init(origin: "comfyui", fields: fields)
    } else if let prompts = text("pixray_prompts") {
      var fields: [String: JSONValue] = ["prompt": .string(Self.unlisted(prompts))]
      fields["seed"] = Self.number(text("pixray_seed_used"), in: Seed.range)
      fields["iterations"] = Self.number(text("pixray_iterations"), in: Self.steps)
      self.init(origin: "pixray", fields: fields)
    } else {
      return nil
    }
  }

  // MARK: Kinds

  /// What stands under `parameters`: AUTOMATIC1111's text, Fooocus' or SwarmUI's JSON, ComfyUI's graph.
  private static func parameters(_ text: String, _ texts: [PictureText]) -> ForeignSettings? {
    guard let object = object(text) else {
      return Infotext(text).map { ForeignSettings(origin: "a1111", fields: fields($0)) }
    }
    if let swarm = object["sui_image_params"] as? [String: Any], let fields = fields(swarm) {
      return ForeignSettings(origin: "swarmui", fields: fields)
    }
    if let fields = ComfyGraph(object).fields {
      return ForeignSettings(origin: "comfyui", fields: fields)
    }
    let isNovel = object["uc"] != nil
    return fields(object).map {
      ForeignSettings(origin: isNovel ? "novelai" : "fooocus", fields: $0)
    }
  }

  static func fields(_ text: Infotext) -> [String: JSONValue] {
    var fields: [String: JSONValue] = [:]
    set(&fields, prompt: text.prompt, negative: text.negativePrompt)
    fields["iterations"] = number(text.settings["Steps"], in: steps)
    fields["seed"] = number(text.settings["Seed"], in: Seed.range)
    set(&fields, sides: text.settings["Size"])
    return fields
  }

  /// The settings of a JSON object by the names that programs give them.
  /// - Parameter description: the prompt, where it stands elsewhere.
  private static func fields(_ object: [String: Any], _ description: String? = nil) -> [String:
    JSONValue]?
  {
    // InvokeAI's earlier versions have an object of the picture within that of the program.
    if let image = object["image"] as? [String: Any] { return fields(image, description) }
    func value(_ names: String...) -> Any? { names.lazy.compactMap { object[$0] }.first }
    func words(_ value: Any?) -> String? {
      if let parts = value as? [[String: Any]] {
        return parts.compactMap { $0["prompt"] as? String }.joined(separator: ", ")
      }
      return value as? String
    }
    var fields: [String: JSONValue] = [:]
    set(
      &fields,
      prompt: words(value("positive_prompt", "prompt", "positivePrompt", "Prompt")) ?? description,
      negative: words(
        value("negative_prompt", "negativeprompt", "negativePrompt", "uc", "Negative Prompt")))
    fields["seed"] = number(value("seed", "noise_seed", "Seed"), in: Seed.range)
    fields["iterations"] = number(
      value("steps", "num_inference_steps", "sampling_steps", "Steps"), in: steps)
    fields["width"] = number(value("width", "Width"), in: side)
    fields["height"] = number(value("height", "Height"), in: side)
    set(&fields, sides: value("resolution", "Resolution", "size") as? String)
    let isTold = fields["prompt"] != nil || fields["seed"] != nil && fields["iterations"] != nil
    return isTold ? fields : nil
  }

  /// The command that InvokeAI's first versions wrote: `"a fox" -s 50 -S 42 -W 512 -H 512`.
  private static func dream(_ line: String) -> [String: JSONValue]? {
    guard line.hasPrefix("\""), let end = line.dropFirst().lastIndex(of: "\"") else { return nil }
    let words = line[line.index(after: end)...].split(separator: " ")
    var fields: [String: JSONValue] = [:]
    set(&fields, prompt: String(line[line.index(after: line.startIndex)..<end]), negative: nil)
    for (option, value) in zip(words, words.dropFirst()) {
      switch option {
      case "-s": fields["iterations"] = number(value, in: steps)
      case "-S": fields["seed"] = number(value, in: Seed.range)
      case "-W": fields["width"] = number(value, in: side)
      case "-H": fields["height"] = number(value, in: side)
      default: continue
      }
    }
    return fields
  }

  // MARK: Values

  static let steps = 1...100_000
  static let side = 16...4_096

  /// A number within its range, of whatever type it was written as; else nil.
  static func number(_ value: Any?, in range: ClosedRange<Int>) -> JSONValue? {
    let number: Int? =
      switch value {
      case let text as any StringProtocol: Int(String(text).trimmed)
      case let number as NSNumber: Int(exactly: number.doubleValue) == nil ? nil : number.intValue
      default: nil
      }
    return number.flatMap { range.contains($0) ? .integer($0) : nil }
  }

  /// Two numbers of a size in any writing: `512x768`, `(512, 768)`.
  private static func set(_ fields: inout [String: JSONValue], sides text: String?) {
    guard text?.contains("-") != true else { return }
    let parts = text?.split { !$0.isNumber }.map { number($0, in: side) } ?? []
    guard parts.count == 2, let width = parts[0], let height = parts[1] else { return }
    (fields["width"], fields["height"]) = (width, height)
  }

  static func set(_ fields: inout [String: JSONValue], prompt: String?, negative: String?) {
    if let prompt = prompt.map(literal), !prompt.isEmpty { fields["prompt"] = .string(prompt) }
    if let negative = negative.map({
      AttentionPrompt(String($0.prefix(Prompt.longest))).text.trimmed
    }),
      !negative.isEmpty
    {
      fields["negativePrompt"] = .string(negative)
    }
  }

  /// A text of another program, in which the marks of our prompts mean nothing, as a prompt that says the
  /// same: the marks become commas, and a number at its end is no weight.
  static func literal(_ text: String) -> String {
    let words = AttentionPrompt(String(text.prefix(Prompt.longest))).text
    var text = words.split(whereSeparator: \.isNewline).joined(separator: " ")
      .replacing("|", with: ",").replacing("^", with: ",").replacing("\0", with: "").trimmed
    // A number at the end would be read as a weight.
    if let colon = text.lastIndex(of: ":"),
      Prompt.isNumber(String(text[text.index(after: colon)...]).trimmed)
    {
      text.replaceSubrange(colon...colon, with: " ")
    }
    return text.trimmed
  }

  /// The text with null for Python's NaN and infinities where they stand outside of quotation marks.
  private static func withoutNaN(_ text: String) -> String {
    let (bytes, words) = (
      Array(text.utf8), ["-Infinity", "Infinity", "NaN"].map { Array($0.utf8) }
    )
    var (sound, isQuoted, at) = ([UInt8](), false, 0)
    while at < bytes.count {
      if !isQuoted, let word = words.first(where: { bytes[at...].starts(with: $0) }) {
        sound += Array("null".utf8)
        at += word.count
        continue
      }
      // A mark behind a backslash ends nothing.
      let count = isQuoted && bytes[at] == UInt8(ascii: "\\") ? min(2, bytes.count - at) : 1
      if bytes[at] == UInt8(ascii: "\"") { isQuoted.toggle() }
      sound += bytes[at..<at + count]
      at += count
    }
    return String(decoding: sound, as: UTF8.self)
  }

  /// A JSON object; ComfyUI writes Python's NaN into it.
  private static func object(_ text: String) -> [String: Any]? {
    guard text.utf8.count <= 8 << 20, text.drop(while: \.isWhitespace).first == "{" else {
      return nil
    }
    func read(_ text: String) -> [String: Any]? {
      try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }
    return read(text) ?? read(withoutNaN(text))
  }

  /// The texts of a Python list, by `|`.
  private static func unlisted(_ text: String) -> String {
    guard text.hasPrefix("["), text.hasSuffix("]") else { return text }
    return text.dropFirst().dropLast().components(separatedBy: ", ")
      .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "'\" ")) }
      .filter { !$0.isEmpty }.joined(separator: " | ")
  }
}
