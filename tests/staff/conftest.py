from tests.cast import ada, as_ada, as_sam, as_sky, maple, otto, sam, sky

__all__ = ["ada", "as_ada", "as_sam", "as_sky", "maple", "otto", "sam", "sky"]
