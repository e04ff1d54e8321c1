-- Another branch has this number; its migration takes the place of this file.
SELECT 1;
