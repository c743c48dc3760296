import Foundation
import HTTPTypes
import Imaging
import Library
import Painting
import Torch

/// What decides whether something can be painted: the pack, the presets, and the studio's limits. All
/// the APIs hand in what they are asked for here.
public struct JobFactory: Sendable {
  let pack: Pack
  let presets: PresetLibrary
  let library: ModelLibrary
  let registry: Registry
  let device: Device
  /// Most pictures of a job.
  var mostPictures = 64

  /// - Parameters:
  ///   - pack: paints.
  ///   - presets: that requests may name.
  ///   - library: the models that requests may name.
  ///   - registry: what requests may name.
  ///   - device: on which it will be painted.
  public init(
    pack: Pack, presets: PresetLibrary = .standard(), library: ModelLibrary = ModelLibrary(),
    registry: Registry = .builtIn, device: Device
  ) {
    self.pack = pack
    self.presets = presets
    self.library = library
    self.registry = registry
    self.device = device
  }

  /// Fills requests as they will be painted.
  var resolver: Resolver { Resolver(pack: pack, library: library, registry: registry) }

  /// A job of the native API's form:
  /// `{"request": {"prompt": "a fox", …}, "count": 1, "presets": ["watercolour"], "parent": "…"}`, and for a
  /// film beside these `"film": {"kind": "zoom", …}`; `"strength"` says how much of the initial picture may
  /// change.
  /// - Throws: `Problem`, `RequestError` and their like, which name the field.
  func job(_ body: JSONValue, key: String?) throws -> Store.NewJob {
    guard case .object(let fields) = body else {
      throw Problem(.unprocessableContent, "The body must be a JSON object with a 'request'.")
    }
    try OpenAPI.Body.newJob.check(fields)
    guard case .object(let wanted) = fields["request"] else {
      throw Problem(
        .unprocessableContent, "There is no 'request' to say what is to be painted.",
        field: "request")
    }
    var request = try Request(json: Data(JSONValue.object(wanted).json.utf8))
    var names: [String] = []
    switch fields["presets"] {
    case nil, .null: break
    case .array(let values):
      for value in values {
        guard case .string(let name) = value, names.count < 16 else {
          throw RequestError.badValue(
            field: "presets", reason: "must be a list of at most 16 names")
        }
        names.append(name)
      }
    default: throw RequestError.badValue(field: "presets", reason: "must be a list of names")
    }
    var count = 1
    switch fields["count"] {
    case nil, .null: break
    case .integer(let number): count = number
    default: throw RequestError.badValue(field: "count", reason: "must be a whole number")
    }
    var parent: String?
    switch fields["parent"] {
    case nil, .null: break
    case .string(let id) where Identifier.isPlausible(id): parent = id
    default: throw RequestError.badValue(field: "parent", reason: "must be a picture's name")
    }
    switch fields["strength"] {
    case nil, .null: break
    case let value?:
      guard
        case .number(let strength) = try ParameterKind.number(0...1).check(value, of: "strength")
      else { break }
      request = try changing(request, by: strength, presets: names)
    }
    let film = try fields["film"].flatMap { $0 == .null ? nil : try Film(json: $0) }
    guard let film else {
      return try job(request, count: count, presets: names, key: key, parent: parent)
    }
    guard count == 1 else {
      throw RequestError.badValue(field: "count", reason: "must be 1 for a film")
    }
    guard (try? FFmpeg()) != nil else {
      throw Problem(
        .unprocessableContent, "Films need ffmpeg, which is not installed. See: reverie doctor",
        field: "film")
    }
    var new = try job(request, count: 1, presets: names, key: key, parent: parent)
    new.request = try film.adapted(new.request, registry)
    try film.checkLength(new.request)
    new.work = .film(film)
    return new
  }

  /// A request of whose initial picture only so much may change: diffusion takes its noised picture up
  /// there, and whoever goes in steps goes only that share of them.
  private func changing(_ request: Request, by strength: Double, presets names: [String]) throws
    -> Request
  {
    guard request.initImage != nil else {
      throw RequestError.badValue(
        field: "strength", reason: "is about a picture to begin from, and there is no initImage")
    }
    var request = request
    let asked = try request.with(presets.presets(names), resolver)
    let method = try resolver.choice(for: asked).method
    if method.argument("start") != nil, asked.arguments["start"] == nil {
      try request.set("start", .number(max(0.01, strength)))
    }
    if method.takes("iterations"), request.iterations == nil {
      var usual = asked.iterations
      if case .integer(let count) = try resolver.default("iterations", of: method) {
        usual = usual ?? count
      }
      let count = (Double(usual ?? 1) * strength).rounded()
      try request.set("iterations", .integer(max(1, Int(count))))
    }
    return request
  }

  /// A job that makes a picture of the gallery larger.
  /// - Parameter picture: its file, as requests would name it.
  func enlargement(of picture: PictureRecord, file: FileReference, scale: Int) throws
    -> Store.NewJob
  {
    guard (2...4).contains(scale) else {
      throw RequestError.badValue(field: "scale", reason: "must be from 2 to 4, not \(scale)")
    }
    guard max(picture.width, picture.height) * scale <= Engine.largestSide else {
      throw RequestError.badValue(
        field: "scale", reason: "makes more than \(Engine.largestSide) pixels a side")
    }
    guard canEnlarge else {
      throw Problem(
        .unprocessableContent,
        "The pack has no network that enlarges, and none is installed. See: reverie models list "
          + "--known", field: "scale")
    }
    let request = try Metadata(json: picture.metadata).request
    return Store.NewJob(
      prompt: picture.prompt, request: request, count: 1,
      work: .enlargement(.init(picture: file, scale: scale)), parent: picture.id)
  }

  /// Whether there is a network that makes pictures larger.
  var canEnlarge: Bool { resolver.canEnlarge }

  /// A job of a request.
  func job(
    _ request: Request, count: Int, presets names: [String] = [], source: Job.Source = .api,
    key: String? = nil, parent: String? = nil
  ) throws -> Store.NewJob {
    guard (1...mostPictures).contains(count) else {
      throw RequestError.badValue(
        field: "count", reason: "must be from 1 to \(mostPictures), not \(count)")
    }
    if let key, !(1...200).contains(key.utf8.count) {
      throw Problem(.badRequest, "Idempotency-Key must have 1 to 200 characters.")
    }
    let chosen = try presets.presets(names.map { $0.replacingOccurrences(of: ",", with: " ") })
    let resolver = resolver
    let wanted = try request.with(chosen, resolver)
    let resolved = try resolver.resolve(wanted, count: count, device: device)
    try checkModels(resolved)
    return Store.NewJob(
      prompt: request.title, request: resolved, count: count, presets: names, source: source,
      key: key, parent: parent,
      remarks: try resolver.remarks(on: wanted, asked: request))
  }

  /// Models that are not installed are told now, not when the job's turn has come.
  private func checkModels(_ request: Request) throws {
    for id in resolver.models(of: request) where id != "pack" {
      _ = try library.store.model(id)
    }
    guard let method = registry.method(request.method), request.model == nil,
      !resolver.isAvailable(method)
    else { return }
    throw Problem(
      .unprocessableContent,
      "\(method.id) draws with a network that is not installed. See: reverie models list --known",
      field: "method")
  }
}
