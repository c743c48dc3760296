import Imaging
import Models
import Torch

/// A way of making pictures from a request, as a value.
///
/// Methods stand in a `Registry`. `Engine`, command line, studio, presets and evaluation iterate over them
/// and name none, so that a method is one file and one line in `Registry.builtIn`; a library's user adds
/// methods of their own in the same way. A drawer becomes a method by ``guided(_:title:_:by:arguments:defaults:takes:size:check:make:)``.
public struct Method: Identifiable, Sendable {
  /// A method by its name. Any name can be written down; whether there is such a method is known to the
  /// registry alone.
  public struct ID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible,
    ExpressibleByStringLiteral
  {
    /// The name, `vqgan-clip` for instance.
    public let rawValue: String
    /// The method of a name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// The method of a name.
    public init(stringLiteral value: String) { rawValue = value }
    /// The name.
    public var description: String { rawValue }

    /// Whichever makes the best picture with the networks at hand.
    public static let auto = ID(rawValue: "auto")
  }

  /// Its name.
  public let id: ID
  /// Other names that it may be asked for by.
  public let aliases: [ID]
  /// The method as galleries know it, `VQGAN+CLIP` for instance.
  public let title: String
  /// What it is, in one sentence without the final stop.
  public let help: String
  /// Its own arguments, beside the parameters that all requests have.
  public let arguments: [PartArgument]
  /// Values of the request's parameters that suit it better than the general ones: those of its authors.
  public let defaults: [String: JSONValue]
  /// The networks that it draws with, the one that `--model` chooses first.
  public let components: [ComponentSlot]
  /// Which of the request's parameters it takes.
  public let takes: Capabilities
  /// The films that it can shoot.
  public let films: Set<Film.Kind>
  /// Values that suit an installed network that draws better than `defaults`: those of its authors.
  let ofNetwork: @Sendable (DrawingNetwork) -> [String: JSONValue]
  /// Where it stands among those that `auto` asks, and why there; nil where it is never chosen so.
  public let preference: Preference?

  /// Whether networks are there that were trained for just what a request asks; nil where none are.
  let calling: @Sendable (Request, Resolver) -> Calling?
  /// The size at which it works.
  let size: @Sendable (Canvas) throws -> Metadata.Size
  /// What of a request it cannot do, beyond what `takes` and the arguments' ranges say.
  let check: @Sendable (Request) throws(RequestError) -> Void
  /// What of a request has no effect in it, or another than one may think.
  let remarks: @Sendable (Request) -> [Remark]
  /// What of a pack does not go together for it; nil when all does.
  let packProblem: @Sendable (Pack) -> String?
  let make: @Sendable (PipelineContext) throws -> any Pipeline

  /// A place in the order in which `auto` asks.
  public struct Preference: Sendable {
    /// Lower is asked earlier.
    public let order: Int
    /// Why it stands there.
    public let reason: String

    /// A place; see the fields.
    public init(_ order: Int, _ reason: String) { (self.order, self.reason) = (order, reason) }
  }

  /// Why `auto` asks a method before all others.
  public struct Calling: Sendable {
    /// The installed model that was trained for it; nil is the pack's, or the first that there is.
    let model: String?
    /// As `Preference.reason`.
    let reason: String
  }

  /// A method; see the fields.
  /// - Parameters:
  ///   - calling: whether networks are there that were trained for just what a request asks, so that `auto` asks
  ///     it before all others.
  ///   - size: the size at which it works for a size asked for; that itself if left out.
  ///   - ofNetwork: values that suit an installed network that draws.
  ///   - check: throws what it cannot do of a request.
  ///   - remarks: what of a request has no effect in it.
  ///   - make: a painting of a resolved request.
  public init(
    _ id: ID, title: String, _ help: String, aliases: [ID] = [], arguments: [PartArgument] = [],
    defaults: [String: JSONValue] = [:], components: [ComponentSlot] = [],
    takes: Capabilities, films: Set<Film.Kind> = [],
    ofNetwork: @escaping @Sendable (DrawingNetwork) -> [String: JSONValue] = { _ in [:] },
    preference: Preference? = nil,
    calling: @escaping @Sendable (Request, Resolver) -> Calling? = { _, _ in nil },
    size: @escaping @Sendable (Canvas) throws -> Metadata.Size = { $0.asked },
    check: @escaping @Sendable (Request) throws(RequestError) -> Void = { _ throws(RequestError) in
    },
    remarks: @escaping @Sendable (Request) -> [Remark] = { _ in [] },
    packProblem: @escaping @Sendable (Pack) -> String? = { _ in nil },
    make: @escaping @Sendable (PipelineContext) throws -> any Pipeline
  ) {
    self.id = id
    self.aliases = aliases
    self.title = title
    self.help = help
    self.arguments = arguments
    self.defaults = defaults
    self.components = components
    self.takes = components.isEmpty ? takes.subtracting(.model) : takes
    self.films = films
    self.ofNetwork = ofNetwork
    self.preference = preference
    self.calling = calling
    self.size = size
    self.check = check
    self.remarks = remarks
    self.packProblem = packProblem
    self.make = make
  }

  /// The declaration of one of its arguments.
  public func argument(_ name: String) -> PartArgument? { arguments.first { $0.name == name } }

  /// Whether it takes a parameter of requests.
  public func takes(_ parameter: ParameterDeclaration) -> Bool {
    parameter.needs.isSubset(of: takes)
  }

  /// Whether it takes a parameter of requests, or has an argument, of this name.
  public func takes(_ name: String) -> Bool {
    Request.parameter(name).map(takes) ?? (argument(name) != nil)
  }

  /// Whether something is optimised, step by step.
  public var isOptimised: Bool { takes.contains(.optimizer) }

  /// Whether one painting makes all the pictures that are wanted, the best first.
  public var makesCandidates: Bool { takes.contains(.candidates) }

  /// The names of its films, for messages.
  var filmNames: String {
    films.isEmpty ? "none" : films.map(\.rawValue).sorted().joined(separator: ", ")
  }

  /// The name under which programs that know samplers list it, in ASCII.
  public var samplerName: String { title.replacing("·", with: "-") }

  /// Steps between pictures on the way that a watching person likes.
  public var stepsToWatch: Int { makesCandidates ? 1 : 5 }
}

/// What may be asked of a method: which of the request's parameters it takes.
public struct Capabilities: OptionSet, Sendable, Hashable {
  /// A bit for each.
  public let rawValue: Int

  /// What these bits stand for.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// A picture to begin from.
  public static let initialImage = Self(rawValue: 1 << 0)
  /// Prompts of all kinds, several with weights, and scenes of them; a text to keep away from as well.
  public static let prompts: Self = [Self(rawValue: 1 << 1), .negativePrompt]
  /// A number of steps.
  public static let steps = Self(rawValue: 1 << 2)
  /// Views of the picture, shown to CLIP.
  public static let views = Self(rawValue: 1 << 3)
  /// Objectives.
  public static let objectives = Self(rawValue: 1 << 4)
  /// An optimiser of parameters, and what goes with it.
  public static let optimizer = Self(rawValue: 1 << 5)
  /// The network that draws, by name.
  public static let model = Self(rawValue: 1 << 6)
  /// Several pictures of one painting, ranked by CLIP.
  public static let candidates = Self(rawValue: 1 << 7)
  /// Pictures of shapes, which can be written as SVG.
  public static let svg = Self(rawValue: 1 << 8)
  /// First noise, from which the picture comes and which may be mixed with another's.
  public static let firstNoise = Self(rawValue: 1 << 9)
  /// A text to keep away from.
  public static let negativePrompt = Self(rawValue: 1 << 10)
  /// Codes that are written one after another, of which there are pictures on the way.
  public static let codes = Self(rawValue: 1 << 12)
  /// Filters.
  public static let filters = Self(rawValue: 1 << 13)
  /// Large matrices held in eight bits.
  public static let eightBits = Self(rawValue: 1 << 11)

  /// All that guidance by CLIP brings.
  public static let guidance: Self = [
    .initialImage, .prompts, .steps, .views, .objectives, .filters, .firstNoise,
  ]
}

/// A network that a method needs.
public struct ComponentSlot: Sendable, Hashable {
  /// What it does in the method: "generator", "decoder".
  public let role: String
  /// The architecture that fills it.
  public let architecture: Architecture.ID
  /// Others that an installed model may fill it with where a request names the model.
  public let alternatives: [Architecture.ID]
  /// What it is, for messages: "VQGAN".
  public let title: String
  /// Whether the pack's own network of this architecture is meant for it.
  public let takesPacks: Bool
  /// Whether an installed model may fill it.
  public let takesInstalled: Bool
  /// Whether an installed model fills it only where a request names it, and the pack's otherwise.
  public let isNamed: Bool

  /// A slot; see the fields.
  public init(
    _ role: String, _ architecture: Architecture.ID, title: String, takesPacks: Bool = true,
    takesInstalled: Bool = true, isNamed: Bool = false, alternatives: [Architecture.ID] = []
  ) {
    self.role = role
    self.architecture = architecture
    self.alternatives = alternatives
    self.title = title
    self.takesPacks = takesPacks
    self.takesInstalled = takesInstalled
    self.isNamed = isNamed
  }
}

/// What a method's size depends on.
public struct Canvas {
  /// The size that is asked for.
  public let asked: Metadata.Size
  /// The pack that paints.
  public let pack: Pack
  /// The sizes of an installed network that draws; nil where the pack's draws, or none does.
  public let installed: (any NetworkConfig)?

  /// The largest multiples of `factor` within the size that is asked for.
  public func multiples(of factor: Int) -> Metadata.Size {
    func side(_ pixels: Int) -> Int { max(1, pixels / factor) * factor }
    return .init(width: side(asked.width), height: side(asked.height))
  }

  /// The size that is asked for, made smaller where a side has more than `limit` pixels. CLIP sees no more
  /// than the usual limit.
  public func limited(to limit: Int = 1024) -> Metadata.Size {
    let scale = min(1, Double(limit) / Double(max(asked.width, asked.height)))
    func side(_ pixels: Int) -> Int { max(2, Int((Double(pixels) * scale).rounded())) }
    return .init(width: side(asked.width), height: side(asked.height))
  }
}
