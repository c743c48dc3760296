import Foundation
import HTTPTypes
import Imaging
import Painting

extension A1111 {
  /// What a picture's file says of how it was painted, under AUTOMATIC1111's names.
  static func info(of data: Data) throws -> JSONValue {
    _ = try picture(data, field: "image")
    let texts = try PictureMetadata.read(from: data)
    let line = texts.last { $0.keyword == Metadata.infotextKeyword }?.text ?? ""
    let items = texts.filter { $0.keyword != Metadata.infotextKeyword }.map {
      ($0.keyword, JSONValue.string($0.text))
    }
    var parameters: [String: JSONValue] = [:]
    if let infotext = Infotext(line) {
      parameters = infotext.settings.mapValues(JSONValue.string)
      if let size = infotext.size {
        parameters["Size"] = nil
        parameters["Size-1"] = .string("\(size.width)")
        parameters["Size-2"] = .string("\(size.height)")
      }
      parameters["Prompt"] = .string(infotext.prompt)
      parameters["Negative prompt"] = .string(infotext.negativePrompt)
    } else if !line.isEmpty {
      parameters["Prompt"] = .string(line)
    }
    return .object([
      "info": .string(line), "items": .object(Dictionary(items) { $1 }),
      "parameters": .object(parameters),
    ])
  }

  /// The nearest concepts of CLIP; which interrogator is asked for makes no difference.
  func caption(_ fields: inout Fields) async throws -> String {
    let data = try pictureData(fields.text("image"), field: "image")
    guard let interrogator else {
      throw Problem(.notImplemented, "This studio has no program that describes pictures.")
    }
    let file = try await Inputs(queue: queue).keep(data, field: "image", name: "interrogated")
    guard let input = try await queue.store.input(file.sha256) else {
      throw Problem.notFound("file of this picture")
    }
    return try await interrogator.caption(
      of: queue.folder.input(input.sha256, ending: input.ending))
  }

  /// How pictures are made larger.
  struct Enlarging {
    static let names = ["None", "Lanczos", "Nearest"]

    /// nil leaves pictures as they are.
    private let filter: ResamplingFilter?
    private let scale: Double
    /// The size instead of the scale.
    private let size: (width: Int, height: Int)?
    private let isCropped: Bool

    init(_ fields: inout Fields) throws {
      func upscaler(_ field: String) throws -> String {
        let name = try fields.text(field) ?? ""
        guard !name.isEmpty else { return Self.names[0] }
        guard let known = Self.names.first(where: { $0.lowercased() == name.lowercased() }) else {
          throw RequestError.badValue(
            field: field,
            reason: "is '\(name.prefix(80))', which is not here; there are "
              + Self.names.joined(separator: ", "))
        }
        return known
      }
      let filters: [String: ResamplingFilter] = ["Lanczos": .lanczos3, "Nearest": .nearest]
      filter = filters[try upscaler("upscaler_1")]
      if try upscaler("upscaler_2") != "None",
        try fields.number("extras_upscaler_2_visibility", in: 0...1) ?? 0 > 0
      {
        throw RequestError.badValue(
          field: "upscaler_2", reason: "cannot be mixed with the first; leave it out")
      }
      let mode = try fields.integer("resize_mode", in: 0...1) ?? 0
      scale = try fields.number("upscaling_resize", in: 0.1...8) ?? 2
      let sides = try ["upscaling_resize_w", "upscaling_resize_h"].map {
        try fields.integer($0, in: 1...8_192) ?? 512
      }
      size = mode == 1 ? (sides[0], sides[1]) : nil
      isCropped = try fields.truth("upscaling_crop") ?? true
    }

    /// A picture larger, as base64 of a PNG.
    func callAsFunction(_ text: String?, field: String) throws -> String {
      let picture = try A1111.picture(pictureData(text, field: field), field: field)
      return try resized(picture).encoded(as: .png()).base64EncodedString()
    }

    private func resized(_ picture: Picture) throws -> Picture {
      guard let filter else { return picture }
      guard let size else {
        return try made(
          picture, Double(picture.width) * scale, Double(picture.height) * scale, filter)
      }
      let factor = max(
        Double(size.width) / Double(picture.width), Double(size.height) / Double(picture.height))
      guard isCropped else {
        return try made(
          picture, Double(picture.width) * factor, Double(picture.height) * factor, filter)
      }
      return try picture.filled(width: size.width, height: size.height, filter: filter)
    }

    private func made(
      _ picture: Picture, _ width: Double, _ height: Double, _ filter: ResamplingFilter
    ) throws -> Picture {
      guard width <= 8_192, height <= 8_192 else {
        throw RequestError.badValue(
          field: size == nil ? "upscaling_resize" : "upscaling_resize_w",
          reason: "makes a picture of more than 8192 pixels a side")
      }
      return try picture.resized(
        width: max(1, Int(width)), height: max(1, Int(height)), filter: filter)
    }
  }
}
