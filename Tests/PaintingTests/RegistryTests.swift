import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// Every part that the program brings, made of its defaults and then with every word, flag and optional
/// argument that it declares: reading one that is not declared, or as another kind, traps.
@Suite struct RegistryTests {
  private static let pack = Result { try Pack(folder: TinyPack.make()) }
  private static let library = Result { try TinyLibrary.make() }

  private let networks: Networks
  private let initial = RandomStream(seed: 1, "first").uniform([1, 3, 32, 32])
  /// Black in its left half, white in its right.
  private let picture: FileReference
  private let files: Attachments

  init() throws {
    networks = try Networks(Self.pack.get(), Self.library.get())
    let url = try ScratchFolder.make("picture").appending(path: "halves.png")
    let halves = [Tensor.zeros([3, 32, 16]), Tensor.ones([3, 32, 16])]
    try Picture(concatenated(halves, over: 2)).write(to: url.path)
    var files = Attachments()
    picture = try files.add(url)
    self.files = files
  }

  /// A text that an argument of this name understands.
  private static let texts = [
    "colors": "[red,#0044ff]", "color": "red", "paper": "red", "head": "head", "than": "fox; a fox",
    "text": "red", "from": "red", "to": "fox", "respacing": "ddim2", "secondary": "secondary",
    "classifier": "critic", "prior": "prior", "upsampleRespacing": "3",
  ]
  /// Arguments that only a network of guided-diffusion takes.
  private static let guided: Set = ["respacing", "secondary", "class", "classifier"]

  /// What is needed alone, then with every word, every flag and every argument without a default.
  private func variants(_ declared: [PartArgument], _ needed: [String: JSONValue] = [:]) throws
    -> [[String: JSONValue]]
  {
    try [needed]
      + declared.flatMap { argument -> [[String: JSONValue]] in
        let values: [JSONValue] =
          switch argument.kind {
          case .choice(let words): words.map(JSONValue.string)
          case .flag: [.bool(false), .bool(true)]
          case .file: [picture.json]
          case .text: [.string(try #require(Self.texts[argument.name], "\(argument.name)"))]
          case .schedule(let range): [.string("\(range.lowerBound)*1,\(range.lowerBound + 1)*1")]
          case .integer(let range) where argument.default == nil: [.integer(range.lowerBound)]
          case .number(let range) where argument.default == nil: [.number(range.lowerBound)]
          default: []
          }
        return values.map { needed.merging([argument.name: $0]) { $1 } }
      }
  }

  /// Where parts are made: a request for plain pixels that begins from a picture.
  private func context() throws -> PipelineContext {
    var request = Request("red fox")
    (request.method, request.width, request.height, request.seed) = (.pixels, 32, 32, 1)
    request.initImage = picture
    return try PipelineContext(request, networks, initial: initial, files: files)
  }

  // MARK: Parts

  @Test(
    "every objective is made of the arguments that it declares",
    arguments: Registry.builtIn.objectives.map(\.name))
  func objectives(_ name: String) throws {
    let kind = try #require(Registry.builtIn.objectives.first { $0.name == name })
    let needed: [String: [String: JSONValue]] = [
      "style": ["file": picture.json], "likeness": ["image": picture.json],
      "contrastive": ["than": .string("fox")],
      "transfer": ["from": .string("red"), "to": .string("fox"), "samples": .integer(16)],
    ]
    let context = try context()
    let views = PerceptorViews(
      perceptor: try networks.perceptor("pack", Request("fox")),
      cutouts: Cutouts(size: 32, count: 2, seed: 1),
      spot: nil, regions: [])
    let drawn = RandomStream(seed: 2, "drawn").uniform([1, 3, 32, 32])
    let observation = Observation(picture: drawn, views: [views.views(of: drawn, 0, progress: 0)])
    for arguments in try variants(kind.arguments, needed[name] ?? [:]) {
      let objective = try kind.make(context.part(name, kind.arguments, arguments))
      let loss = try #require(objective.loss(observation), "\(arguments)")
      #expect(loss.count == 1 && loss.item().isFinite, "\(arguments)")
    }
  }

  @Test(
    "every filter is made of the arguments that it declares",
    arguments: Registry.builtIn.filters.map(\.name))
  func filters(_ name: String) throws {
    let kind = try #require(Registry.builtIn.filters.first { $0.name == name })
    let context = try context()
    var refused: [JSONValue] = []
    for arguments in try variants(kind.arguments, name == "inpaint" ? ["mask": picture.json] : [:])
    {
      do {
        let filter = try kind.make(context.part(name, kind.arguments, arguments))
        let (shown, loss) = filter(initial, iteration: 0)
        #expect(shown.floats().allSatisfy { $0.isFinite }, "\(arguments)")
        #expect(loss.map { $0.item().isFinite } ?? true, "\(arguments)")
      } catch is RequestError {
        refused.append(try #require(arguments["group"], "\(arguments)"))
      }
    }
    // On a square there are no hexagons.
    let hexagonal = WallpaperGroup.allCases.filter { $0.lattice == .hexagonal }.map(\.rawValue)
    #expect(refused == (name == "wallpaper" ? hexagonal.map(JSONValue.string) : []))
  }

  @Test(
    "every method paints with the arguments that it declares",
    arguments: Registry.builtIn.methods.map(\.id))
  func methods(_ id: Method.ID) throws {
    let method = try #require(Registry.builtIn.method(id))
    for arguments in try variants(method.arguments) {
      var request = Request("red fox")
      (request.method, request.width, request.height, request.seed) = (id, 32, 32, 1)
      if method.takes.contains(.guidance) { (request.iterations, request.cutouts) = (2, 1) }
      if method.makesCandidates { request.candidates = 1 }
      request.arguments = arguments
      if !Self.guided.isDisjoint(with: arguments.keys) { request.model = "guided" }
      if arguments["classifier"] != nil { request.arguments["class"] = .integer(3) }
      let first = arguments["inversion"] == .bool(true) ? initial : nil
      let pipeline = try PipelineContext(request, networks, initial: first).pipeline()
      while !pipeline.isDone { _ = try pipeline.step(.none) }
      #expect(pipeline.done == pipeline.total, "\(arguments)")
      let picture = try #require(try pipeline.finished().first, "\(arguments)").picture
      // AttnGAN's smallest picture.
      let side = method.components.contains { $0.architecture == "attngan" } ? 64 : 32
      #expect(
        [3, 4].contains(picture.size(1)) && picture.size(2) == side && picture.size(3) == side)
      #expect(picture.floats().allSatisfy { $0.isFinite }, "\(arguments)")
    }
  }

  @Test("a film may be shot where no method is asked for, by the first that shoots every kind")
  func films() {
    #expect(Registry.builtIn.filmMethod?.id == .vqganCLIP)
  }

  @Test("names are unique, so that each names one part")
  func unique() {
    let registry = Registry.builtIn
    for names in [
      registry.methods.map(\.id.rawValue), registry.objectives.map(\.name),
      registry.filters.map(\.name), registry.architectures.map(\.id),
    ] { #expect(Set(names).count == names.count) }
    // A method's arguments stand beside the parameters in a request.
    let parameters = Set(["prompt", "schema"] + Request.parameters.map(\.name))
    #expect(registry.arguments.allSatisfy { !parameters.contains($0.name) })
    for method in registry.methods {
      let names = method.arguments.map(\.name)
      #expect(Set(names).count == names.count, "\(method.id)")
      for (name, value) in method.defaults {
        let kind = Request.parameter(name)?.kind ?? method.argument(name)?.kind
        #expect(throws: Never.self, "\(method.id): \(name)") {
          try #require(kind).check(value, of: name, in: registry)
        }
      }
    }
  }
}
