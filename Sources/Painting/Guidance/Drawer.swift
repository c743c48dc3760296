import Torch

/// What is optimised: something with parameters that draws a picture from them.
///
/// A drawer that draws by chance derives its numbers from its seed and the iteration, never from a
/// stream that goes on, so that a run can be taken up again at any iteration.
public protocol Drawer {
  /// The parameters, float32 variables, which an optimiser changes in place.
  var parameters: [Tensor] { get }
  /// How long a step of each parameter is, as a multiple of the request's learning rate.
  var rates: [Double] { get }
  /// What stands for the picture inside: regularisers may hold it near its beginning.
  var latent: Tensor? { get }
  /// The latent of another picture `[1, 3, H, W]` in 0…1; nil where it has none.
  func latent(of picture: Tensor) -> Tensor?
  /// What the drawer itself wants, regularisers of its own parameters for instance.
  var objectives: [any Objective] { get }
  /// Whether a picture is drawn by chance from the parameters, so that they are what is kept, not it.
  var drawsByChance: Bool { get }
  /// The picture, `[1, 3, H, W]`, 0…1 or a little outside, with history to the parameters.
  /// - Parameter iteration: of the optimisation; nil for a picture to look at, without chance.
  func render(_ iteration: Int?) -> Tensor
  /// Brings the parameters back into their range, in place.
  func project()
  /// Gradients of the parameters with what lies outside a region left out.
  /// - Parameter region: 1 inside, 0 outside, `[1, 1, H, W]`.
  /// - Returns: nil where the parameters have no places in the picture.
  func confined(_ gradients: [Tensor], to region: Tensor) -> [Tensor]?
  /// Draws this picture `[1, 3, H, W]` of 0…1 from now on, as well as it can.
  /// - Returns: whether it can do so at all; nothing is changed when it cannot.
  func begin(from picture: Tensor) -> Bool
}

extension Drawer {
  /// One for each parameter.
  public var rates: [Double] { parameters.map { _ in 1 } }
  /// None.
  public var latent: Tensor? { nil }
  /// None.
  public func latent(of picture: Tensor) -> Tensor? { nil }
  /// None.
  public var objectives: [any Objective] { [] }
  /// It is not.
  public var drawsByChance: Bool { false }
  /// Nothing.
  public func project() {}
  /// Where all parameters are maps `[1, C, h, w]` of the picture.
  public func confined(_ gradients: [Tensor], to region: Tensor) -> [Tensor]? {
    guard gradients.allSatisfy({ $0.rank == 4 && $0.size(0) == 1 }) else { return nil }
    return gradients.map {
      $0 * region.resampled($0.size(2), $0.size(3), .bilinear, antialias: true)
    }
  }
  /// It cannot.
  public func begin(from picture: Tensor) -> Bool { false }
}

/// A drawer whose picture consists of shapes, which can be written out as such.
public protocol VectorDrawer: Drawer {
  /// The picture to look at, as an SVG document of the size in pixels at which it is drawn.
  func svg() -> String
  /// The picture to look at with its transparency, straight alpha in the fourth channel,
  /// `[1, 4, H, W]`; nil when its shapes are opaque or lie on a paper.
  func transparentPicture() -> Tensor?
}

extension VectorDrawer {
  /// None.
  public func transparentPicture() -> Tensor? { nil }
}

/// A part that remembers something from one step to the next, which a checkpoint must keep.
public protocol Remembering: AnyObject {
  /// What it remembers, by name.
  var memory: [String: Tensor] { get set }
}

extension Method {
  /// A drawer as a method: what it draws is optimised under CLIP's guidance.
  /// - Parameters:
  ///   - components: the networks that it draws with.
  ///   - drawsShapes: whether it is a `VectorDrawer`.
  ///   - limitsColors: whether what it draws never leaves 0…1, so that wishes for that are idle.
  ///   - ofNetwork: values that suit an installed network that draws.
  ///   - size: the size at which it draws; what nothing but CLIP limits, if left out.
  ///   - make: a drawer of these arguments, which has not begun from a picture yet.
  public static func guided(
    _ id: ID, title: String, _ help: String, by components: [ComponentSlot] = [],
    arguments: [PartArgument] = [], defaults: [String: JSONValue] = [:], drawsShapes: Bool = false,
    limitsColors: Bool = false,
    ofNetwork: @escaping @Sendable (DrawingNetwork) -> [String: JSONValue] = { _ in [:] },
    preference: Preference? = nil,
    size: @escaping @Sendable (Canvas) throws -> Metadata.Size = { $0.limited() },
    make: @escaping @Sendable (PartContext) throws -> any Drawer
  ) -> Method {
    var takes: Capabilities = [.guidance, .optimizer, .model]
    if drawsShapes { takes.insert(.svg) }
    return Method(
      id, title: title, help, arguments: arguments, defaults: defaults, components: components,
      takes: takes, films: Set(Film.Kind.allCases), ofNetwork: ofNetwork, preference: preference,
      size: size,
      check: { request throws(RequestError) in
        if request.variationSeed != nil, request.initImage != nil || request.initNoise != nil {
          throw .badValue(
            field: "variationSeed",
            reason: "has no effect where painting begins from a picture; leave one of them out")
        }
      },
      remarks: { request in
        guard limitsColors else { return [] }
        return (request.objectives ?? []).filter { ["range", "sat"].contains($0.name) }.map {
          Remark(
            "objectives", "\($0.name) has no effect in \(id), whose colours never leave the range.")
        }
      }
    ) { context in
      let drawer = try make(context.arguments())
      if let varied = context.varied {
        drawer.mix(try make(varied.context.arguments()), share: varied.share)
      }
      return try GuidedPipeline(context, drawer)
    }
  }
}
